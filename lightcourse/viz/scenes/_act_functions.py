"""The functions of the activation scene: formula, slope, cost in words, and the reader's own."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lightcourse.errors import UserError

PIECES, EXP = "pieces", "exp"
LEAK = 0.1  # of leaky ReLU, as in Darknet
LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772  # of SELU (Klambauer 2017)
FADED = 1e-12  # a slope beside a zone, from which the zone is taken for a rounding
REACH, GRAIN = 27.0, 0.005  # the line on which everything is integrated: ±REACH in cells of GRAIN
COSTLY = frozenset(
    [
        "exp",
        "exp2",
        "expm1",
        "sigmoid",
        "tanh",
        "silu",
        "gelu",
        "mish",
        "elu",
        "celu",
        "softplus",
        "log",
        "log1p",
        "log2",
        "logaddexp",
        "erf",
        "erfc",
        "log_sigmoid_forward",
        "sin",
        "cos",
        "atan",
        "sinh",
        "cosh",
        "pow",
        "sqrt",
        "rsqrt",
    ]
)

Curve = Callable[[np.ndarray], np.ndarray]
Zones = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Function:
    """One activation function; a zone is an interval of x on which the slope is exactly 0."""

    name: str
    formula: str
    cost: str  # a word or two, for the list
    code: str
    f: Curve
    slope: Curve
    zones: Zones = ()


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))  # never overflows


def _sigmoid_slope(x: np.ndarray) -> np.ndarray:
    return _sigmoid(x) * _sigmoid(-x)


def _swish_slope(x: np.ndarray) -> np.ndarray:
    return _sigmoid(x) * (1 + x * _sigmoid(-x))


def _phi(x: np.ndarray) -> np.ndarray:
    """Share of a normal distribution below x."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in np.ravel(x)]).reshape(np.shape(x))


def _gelu_slope(x: np.ndarray) -> np.ndarray:
    return _phi(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _mish(x: np.ndarray) -> np.ndarray:
    return x * np.tanh(np.logaddexp(0, x))


def _mish_slope(x: np.ndarray) -> np.ndarray:
    gate = np.tanh(np.logaddexp(0, x))
    return gate + x * (1 - gate**2) * _sigmoid(x)


def _selu(x: np.ndarray) -> np.ndarray:
    return LAMBDA * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0)))


def _selu_slope(x: np.ndarray) -> np.ndarray:
    return LAMBDA * np.where(x > 0, 1.0, ALPHA * np.exp(np.minimum(x, 0)))


def _ramp(x: np.ndarray) -> np.ndarray:
    return np.clip(x + 3, 0, 6) / 6


def _between(low: float, high: float) -> Curve:
    return lambda x: np.where((x > low) & (x < high), 1.0, 0.0)


def _hswish_slope(x: np.ndarray) -> np.ndarray:
    return _between(-3, math.inf)(x) * np.where(x < 3, (2 * x + 3) / 6, 1.0)


def _leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, LEAK * x)


BELOW_0, BELOW_3 = (-math.inf, 0.0), (-math.inf, -3.0)
FUNCTIONS = (  # name, formula, cost, code, f, slope, zones without slope
    Function("ReLU", "max(0, x)", PIECES, "F.relu(x)",
             lambda x: np.maximum(x, 0), _between(0, math.inf), (BELOW_0,)),
    Function("ReLU6", "min(max(0, x), 6)", PIECES, "F.relu6(x)",
             lambda x: np.clip(x, 0, 6), _between(0, 6), (BELOW_0, (6.0, math.inf))),
    Function("leaky ReLU", f"x if x > 0, else {LEAK}·x", PIECES, f"F.leaky_relu(x, {LEAK})",
             _leaky, lambda x: np.where(x > 0, 1.0, LEAK)),
    Function("sigmoid", "1 / (1 + e⁻ˣ)", EXP, "torch.sigmoid(x)", _sigmoid, _sigmoid_slope),
    Function("h-sigmoid", "ReLU6(x + 3) / 6", PIECES, "F.hardsigmoid(x)",
             _ramp, lambda x: _between(-3, 3)(x) / 6, (BELOW_3, (3.0, math.inf))),
    Function("swish", "x · sigmoid(x)", EXP, "F.silu(x)", lambda x: x * _sigmoid(x), _swish_slope),
    Function("h-swish", "x · ReLU6(x + 3) / 6", PIECES, "F.hardswish(x)",
             lambda x: x * _ramp(x), _hswish_slope, (BELOW_3,)),
    Function("GELU", "x · Φ(x)", "erf", "F.gelu(x)", lambda x: x * _phi(x), _gelu_slope),
    Function("mish", "x · tanh(ln(1 + eˣ))", "exp, log", "F.mish(x)", _mish, _mish_slope),
    Function("SELU", "1.05·x, or 1.76·(eˣ − 1) below 0", EXP, "F.selu(x)", _selu, _selu_slope),
)  # fmt: skip
REFERENCES = ("ReLU", "swish", "sigmoid")  # what any function can be laid beside


def functions_of(own: Any) -> tuple[Function, ...]:
    """Return the ten functions, and the reader's own after them where there is one."""
    return FUNCTIONS if own is None else (*FUNCTIONS, own_function(own))


def own_function(own: Any) -> Function:
    """Return the reader's function or module with its slope from autograd.

    Raises:
        UserError: it is no function of a tensor, mixes its numbers, or is not finite.
    """
    if not callable(own) or isinstance(own, type):
        raise UserError(
            f"activations takes a function of a tensor or an nn.Module, not {own!r}; "
            "give it without brackets, such as own=torch.tanh."
        )
    call = _detached(own)
    middles = cells()
    y, slope, ops = _run(call, middles)
    seen = np.abs(middles) <= 24
    if not np.isfinite(y[seen]).all() or not np.isfinite(slope[seen]).all():
        bad = middles[seen][~(np.isfinite(y[seen]) & np.isfinite(slope[seen]))]
        raise UserError(
            f"this function or its slope is not finite at x = {bad[np.abs(bad).argmin()]:.2f}; "
            "give one that is finite from −24 to 24."
        )
    every_third = _run(call, middles[::3])[0]
    if not np.allclose(every_third, y[::3], atol=1e-9, equal_nan=True):
        raise UserError(
            "this function does not treat each number by itself (softmax does not either); "
            "give one that does."
        )
    costly = any(op.strip("_") in COSTLY for op in ops)
    return Function("yours", _named(own), EXP if costly else "no exp", "yours(x)",
                    lambda x: _run(call, x)[0], lambda x: _run(call, x)[1],
                    _flat(middles, slope))  # fmt: skip


def cells() -> np.ndarray:
    """Return the middles of all cells of the line; multiples of GRAIN are their edges."""
    return (np.arange(-round(REACH / GRAIN), round(REACH / GRAIN)) + 0.5) * GRAIN


def _named(own: Any) -> str:
    """A function's name as a formula, where it has a short one."""
    name = getattr(own, "__name__", type(own).__name__)
    return f"{name}(x)" if name.isidentifier() and len(name) <= 24 else "your function"


def _detached(own: Any) -> Callable[[Any], Any]:
    """A module is copied, in double precision and in eval mode: the reader's own stays as it is."""
    from torch import nn

    return copy.deepcopy(own).cpu().double().eval() if isinstance(own, nn.Module) else own


def _run(call: Callable[[Any], Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray, set[str]]:
    """(n,) -> values, slopes by autograd, and the names of the operators that ran."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    ops: set[str] = set()

    class Listen(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            ops.add(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    given = torch.from_numpy(np.ascontiguousarray(x, dtype=float)).requires_grad_()
    try:
        with torch.enable_grad(), Listen():
            y = call(given.clone())  # a clone, since some work in place
    except Exception as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"your function fails on a tensor of {len(x)} numbers: {first[0]}"
        ) from None
    if not isinstance(y, torch.Tensor) or y.shape != given.shape:
        got = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
        raise UserError(f"your function should return as many numbers as it gets; it gave {got}.")
    slope = torch.zeros_like(given)
    if y.requires_grad:  # a comparison, such as x > 0, sends no gradient back
        slope = torch.autograd.grad(y.sum(), given)[0]
    return y.detach().double().numpy(), slope.double().numpy(), ops


def _flat(middles: np.ndarray, slope: np.ndarray) -> Zones:
    """The intervals of cells whose slope is exactly 0; one that reaches the end has no end."""
    flat = np.concatenate([[False], slope == 0, [False]])
    starts, ends = np.flatnonzero(flat[1:] & ~flat[:-1]), np.flatnonzero(flat[:-1] & ~flat[1:])
    zones = []
    for start, end in zip(starts, ends, strict=True):
        if end - start < 2:
            continue  # a single place, such as a minimum
        beside = np.abs(np.concatenate([slope[:start][-1:], slope[end:][:1]]))
        if len(beside) and beside.max() < FADED:
            continue  # it only came too near to 0 for the computer, as tanh does
        low = -math.inf if start == 0 else round(float(middles[start]) - GRAIN / 2, 6)
        high = math.inf if end == len(slope) else round(float(middles[end - 1]) + GRAIN / 2, 6)
        zones.append((low, high))
    return tuple(zones)
