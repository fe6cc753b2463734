"""A model in one line, for the tests of the analysis."""

from torch import Tensor, nn


class Fn(nn.Module):
    """A forward written as a function of (layers, x), over layers given by name."""

    def __init__(self, fn, **layers) -> None:
        super().__init__()
        self.fn = fn
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *x: Tensor) -> Tensor:
        return self.fn(self, *x)
