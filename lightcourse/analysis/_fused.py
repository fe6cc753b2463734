"""What folding batch normalisation and working in place would save: which operators vanish."""

from dataclasses import dataclass, field

from lightcourse.analysis._records import Op, Trace
from lightcourse.analysis.ops import kind_of

_PRODUCTS = frozenset(("convolution", "addmm", "mm"))
_FOLDABLE = frozenset(
    (
        "native_batch_norm",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "cudnn_batch_norm",
    )
)


@dataclass
class Fusion:
    """Operators that vanish into the product before them, and blocks of memory that become one."""

    absorbed: dict[int, str] = field(default_factory=dict)  # operator -> why it moves nothing
    bias_of: dict[int, int] = field(default_factory=dict)  # product -> value with its channels
    merged: dict[int, int] = field(default_factory=dict)  # storage -> the one it becomes part of

    def home(self, storage: int) -> int:
        """Return the block of memory that a storage is part of."""
        while storage in self.merged:
            storage = self.merged[storage]
        return storage


def fuse(recorded: Trace) -> Fusion:
    """Find the batch normalisations to fold and the activations that can write over their input.

    A batch normalisation folds when it alone reads the result of a product. An activation works
    in place when nothing later reads its input, and vanishes when that is such a result.
    """
    readers, last_read = _readers(recorded)
    fusion = Fusion()
    product_of: dict[int, int] = {}  # value -> the product that it is the (folded) result of
    for op in recorded.ops:
        if op.name in _PRODUCTS:
            product_of[op.outputs[0]] = op.index
            continue
        if not op.inputs or not op.outputs:
            continue
        source = op.inputs[0]
        product = product_of.get(source) if readers.get(source) == {op.index} else None
        if op.name in _FOLDABLE and product is not None:
            fusion.absorbed[op.index] = "folded into the product before it"
            fusion.bias_of[product] = op.outputs[0]
            product_of[op.outputs[0]] = product
            _merge(fusion, recorded, op)
        elif kind_of(op.name) == "activation" and _is_last(op, recorded, last_read):
            if product is not None:
                fusion.absorbed[op.index] = "applied before the product before it is written"
            _merge(fusion, recorded, op)
    return fusion


def _readers(recorded: Trace) -> tuple[dict[int, set[int]], dict[int, int]]:
    """Return who reads each value, and when each block of memory is read for the last time.

    What the model returns is read after its last operator.
    """
    readers: dict[int, set[int]] = {}
    last_read: dict[int, int] = {}
    after_all = (len(recorded.ops), recorded.outputs)
    for index, values in (*((op.index, op.inputs) for op in recorded.ops), after_all):
        for value in values:
            readers.setdefault(value, set()).add(index)
            last_read[recorded.values[value].storage] = index
    return readers, last_read


def _is_last(op: Op, recorded: Trace, last_read: dict[int, int]) -> bool:
    """Say whether an operator may write over its input: it is ours, and nobody needs it again."""
    before, after = (recorded.values[v].storage for v in (op.inputs[0], op.outputs[0]))
    if before < 0 or recorded.storages[before].origin:
        return False
    return before == after or last_read[before] == op.index


def _merge(fusion: Fusion, recorded: Trace, op: Op) -> None:
    before = fusion.home(recorded.values[op.inputs[0]].storage)
    after = fusion.home(recorded.values[op.outputs[0]].storage)
    if before != after and recorded.storages[before].nbytes == recorded.storages[after].nbytes:
        fusion.merged[after] = before
