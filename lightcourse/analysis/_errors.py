"""Turn whatever a forward pass raises on shapes alone into one clear sentence."""

from torch import Tensor

from lightcourse.errors import UserError

# what torch says when it wants numbers from a tensor that has none
_NO_DATA = (
    "on meta tensor", "of meta tensor", "with meta tensor", "convert meta", "register_meta",
    "unallocated storage", "data-dependent",
)  # fmt: skip
_WHOLE = ("scalar types: Long", "tensors used as indices")  # asked for, where a shape made floats


class NeedsValues(RuntimeError):
    """The forward pass asked a tensor for its values, and there are none."""


def explain(
    error: Exception,
    place: tuple[str, str] | None,
    calling: tuple[str, tuple] | None,
    inputs: tuple[Tensor, ...],
) -> UserError:
    """Say where a forward pass stopped, why, and what to do about it."""
    where = _where(place)
    text = str(error)
    given = " and ".join(str(tuple(t.shape)) for t in inputs)
    if isinstance(error, UserError):  # a model of ours has said it better already
        return error
    misfit = None if calling is None else _misfit(*calling)
    if misfit is not None:
        wants, gets, what = misfit
        return UserError(
            f"{where[0].upper()}{where[1:]} takes {wants} input {what} but gets {gets}, with an "
            f"input of shape {given}: change that shape, which is (batch, channels, height, "
            "width), or the layer."
        )
    if calling is not None and "::" in calling[0] and _lacks_shapes(error):
        return UserError(
            f"Nobody has told torch which shape the operator {calling[0]} of {where} returns, and "
            "the analysis runs on shapes alone: "
            f"tell it with torch.library.register_fake({calling[0]!r}, ...)."
        )
    if isinstance(error, NeedsValues) or any(sign in text.lower() for sign in _NO_DATA):
        return UserError(
            f"The forward pass of {where} depends on the values in a tensor (such as `if x.mean() "
            "> 0`), and the analysis runs on shapes alone: choose with torch.where, or move the "
            "decision out of forward and analyse each branch as a model of its own."
        )
    first = text.strip().splitlines()[0][:160].rstrip(". ") if text.strip() else "no message"
    way = "check it with the input_size argument"
    if any(sign in text for sign in _WHOLE):
        way = "for whole numbers give a tensor, such as torch.zeros(shape, dtype=torch.long)"
    return UserError(
        f"The forward pass stopped in {where} with {type(error).__name__}: {first} - the input's "
        f"shape was {given}; {way}."
    )


def _lacks_shapes(error: Exception) -> bool:
    return isinstance(error, NotImplementedError) or "fake impl" in str(error)


def _misfit(name: str, args: tuple) -> tuple[int, int, str] | None:
    """Return the wanted and the given number of channels or features, where they differ."""
    if name == "convolution":
        x, weight, transposed, groups = args[0], args[1], args[6], args[8]
        wants = weight.shape[0] if transposed else weight.shape[1] * groups
        if x.dim() == weight.dim() and x.shape[1] != wants:
            return wants, x.shape[1], "channels"
    if name in ("mm", "addmm"):
        x, weight = args[-2:]
        if x.dim() == weight.dim() == 2 and x.shape[1] != weight.shape[0]:
            return weight.shape[0], x.shape[1], "features"
    return None


def _where(place: tuple[str, str] | None) -> str:
    if place is None:
        return "the model"
    path, kind = place
    return f"layer '{path}' ({kind})" if path else f"the model ({kind})"
