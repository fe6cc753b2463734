"""What a block does, stage by stage: its convolutions and joins, found in a trace of one run."""

from dataclasses import dataclass, field
from typing import Any

from lightcourse.errors import UserError

WORDS = {
    "1": "1×1", "k": "k×k", "d": "depthwise", "g": "grouped", "c": "concat", "+": "add",
    "s": "squeeze-excite", "x": "scale", "h": "shuffle", "p": "split", "a": "average pool",
    "f": "shift", "n": "norm",
}  # fmt: skip
TURNS = {"transpose", "permute"}
JOINS = {"cat": "c", "stack": "c", "avg_pool2d": "a"}
SMOOTH = {"activation", "view"}  # kinds of operators that belong to the stage before them


@dataclass
class Stage:
    """A convolution with its norm and activation, or a join of maps; stage 0 is the input.

    The letter is `1` for a dense 1×1, `k` for a larger dense kernel, `d` depthwise, `g` grouped,
    `c` concat, `+` add, `s` squeeze-excite, `x` the scaling by it, `h` channel shuffle, `p` split
    into halves, `a` average pooling, `f` shift, `n` a norm before its convolution, `i` the input.
    """

    letter: str
    sources: tuple[int, ...] = ()  # the stages whose maps it reads
    kernel: int = 0
    groups: int = 1
    parts: int = 1  # a split's map goes on in so many parts
    narrow: int = 0  # channels inside a squeeze-excite
    shape: tuple[int, int, int] = (0, 0, 0)  # channels, height, width of its map
    nbytes: int = 0  # of its map
    params: int = 0
    macs: int = 0
    moved: int = 0  # bytes read and written, each operator run by itself
    alive: int = 0  # most bytes of maps alive while it runs, norms folded, the input not counted
    held: tuple[int, ...] = ()  # stages whose maps are alive while it runs
    layers: list[str] = field(default_factory=list)
    ops: list[int] = field(default_factory=list)

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def word(self) -> str:
        """What the stage is, such as `depthwise 3×3`."""
        size = f"{self.kernel}×{self.kernel}"
        if self.letter in "1k":
            return size
        if self.letter == "g":
            return f"{'group' if self.kernel == 1 else 'grouped'} {size}"
        if self.layers == ["stack"]:
            return "concat + shuffle"  # in one pass
        return f"{WORDS[self.letter]} {size}" if self.letter == "d" else WORDS[self.letter]


@dataclass(frozen=True)
class Block:
    """All stages of a block on one input, and its totals as `analyze` counts them."""

    stages: tuple[Stage, ...]
    params: int
    macs: int
    moved: int
    peak: int  # bytes, norms folded and activations in place
    peak_eager: int  # bytes, layer by layer

    @property
    def letters(self) -> str:
        return "".join(stage.letter for stage in self.stages[1:])


def block_of(module: Any, size: tuple[int, int, int, int]) -> Block:
    """Run the block on shapes alone and return its stages.

    Raises:
        UserError: it holds an operator that is no stage of a block, or does not run.
    """
    from lightcourse.analysis import analyze, trace

    report, recorded = analyze(module, size), trace(module, size)
    stages, made = _walk(recorded, type(module).__name__)
    for layer, row in zip(report.layers, recorded.rows, strict=True):
        stage = next((made[v] for i in row.ops for v in recorded.ops[i].outputs if v in made), None)
        if stage is None:
            continue
        at = stages[stage]
        at.params, at.macs = at.params + layer.params, at.macs + layer.macs
        at.moved += layer.memory_access
        at.layers.append(layer.kind)
    _measure(stages, recorded, report.timeline("fused").live)
    return Block(
        tuple(stages), report.params, report.macs, report.memory_access,
        report.peak_activation_fused, report.peak_activation,
    )  # fmt: skip


def _walk(recorded: Any, name: str) -> tuple[list[Stage], dict[int, int]]:
    """Return the stages, and the stage that each value belongs to."""
    made = {recorded.inputs[0]: 0}
    stages = [Stage("i")]
    for op in recorded.ops:
        sources = tuple(dict.fromkeys(made[v] for v in op.inputs if v in made))
        if not sources:
            continue  # a weight that is turned round
        letter = _letter(op, recorded, [stages[s].letter for s in sources])
        if letter == "?" or (not letter and sources == (0,)):
            raise UserError(_unfit(name, op, recorded, letter))
        if letter:
            stages.append(Stage(letter, sources, _kernel(op, recorded), _groups(op)))
            stages[-1].parts = len(op.outputs) if letter == "p" else 1
        here = len(stages) - 1 if letter else sources[0]
        stages[here].ops.append(op.index)
        if not letter and op.name in ("convolution", "addmm"):
            stages[here].narrow = stages[here].narrow or recorded.shape(op.outputs[0])[1]
        made |= dict.fromkeys(op.outputs, here)
    return stages, made


def _unfit(name: str, op: Any, recorded: Any, letter: str) -> str:
    """Say which operator does not fit, by its module where it has one."""
    what = next((row.kind for row in recorded.rows if op.index in row.ops), op.name)
    if not letter:
        return f"{name} begins with {what}; these blocks begin with a convolution."
    return (
        f"{name} runs {what}, which is no stage of these blocks: convolution, norm, activation,"
        " squeeze-excite, concat, add."
    )


def _letter(op: Any, recorded: Any, before: list[str]) -> str:
    """Return what begins at this operator; empty where it belongs to the stage before it."""
    from lightcourse.analysis.ops import kind_of

    name = op.name.removesuffix("_")
    if any(row.kind == "Shift" and op.index in row.ops for row in recorded.rows):
        return "" if before == ["f"] else "f"
    if name in ("split", "split_with_sizes") and len(op.outputs) == 2:
        return "p"
    if "batch_norm" in name and before in (["i"], ["f"]):
        return "n"
    if kind_of(name) in SMOOTH or "batch_norm" in name or "dropout" in name:
        return ""
    if name == "clone" and any(o.name in TURNS for o in _made_by(op, recorded)):
        return "h"
    if name in ("convolution", "addmm"):
        return "" if before == ["s"] else _convolution(op, recorded)
    if name in ("mean", "_adaptive_avg_pool2d"):
        return "s"
    if name in JOINS:
        return JOINS[name]
    if name == "add" and len(before) == 2:
        return "+"
    return "x" if name == "mul" and len(before) == 2 and "s" in before else "?"


def _convolution(op: Any, recorded: Any) -> str:
    if op.name != "convolution" or op.args[6]:  # transposed
        return "?"
    out, each, *kernel = recorded.shape(op.inputs[1])
    groups = op.args[8]
    if len(kernel) != 2 or kernel[0] != kernel[1]:
        return "?"
    if groups == 1:
        return "1" if kernel == [1, 1] else "k"
    return "d" if each == 1 and out % groups == 0 and kernel[0] > 1 else "g"


def _kernel(op: Any, recorded: Any) -> int:
    return recorded.shape(op.inputs[1])[-1] if op.name == "convolution" else 0


def _groups(op: Any) -> int:
    return op.args[8] if op.name == "convolution" else 1


def _made_by(op: Any, recorded: Any) -> list[Any]:
    """Return the operators whose results an operator reads."""
    return [other for other in recorded.ops if set(other.outputs) & set(op.inputs)]


def _measure(stages: list[Stage], recorded: Any, live: tuple[int, ...]) -> None:
    """Fill in shapes, bytes, and what is alive while each stage runs."""
    results = [recorded.inputs[0]] + [_result(stage, recorded) for stage in stages[1:]]
    maps = [recorded.values[number] for number in results]
    for here, (stage, value) in enumerate(zip(stages, maps, strict=True)):
        channels, height, width = (*value.shape[1:], 1, 1)[:3]
        if stage.letter == "p":
            channels *= stage.parts
        stage.shape = (channels, height, width)
        stage.nbytes = value.itemsize * channels * height * width
        if here == 0:
            continue
        stage.alive = max(live[i] for i in stage.ops)
        first, last = stage.ops[0], stage.ops[-1]
        stage.held = tuple(
            i for i, known in enumerate(maps)
            if _lives(recorded.storages[known.storage], first, last)
            and ((i and stages[i].letter != "p") or any(i in s.sources for s in stages[here:]))
        )  # fmt: skip


def _result(stage: Stage, recorded: Any) -> int:
    """Return a stage's map: its last result that is one, not a view on the way to a shuffle."""
    results = [recorded.ops[i].outputs[0] for i in reversed(stage.ops)]
    return next((value for value in results if len(recorded.shape(value)) == 4), results[0])


def _lives(storage: Any, first: int, last: int) -> bool:
    return storage.born <= last and (storage.died is None or storage.died > first)
