"""What all Inception networks share: parts in a row, side heads in training, one classifier."""

from collections.abc import Sequence
from copy import deepcopy

from torch import Tensor, nn

from lightcourse.models._network import Network, _runs


class InceptionNetwork(Network):
    """Parts one after the other, then the mean of each map, dropout and a linear layer.

    In training the output of part i also goes through head i, where there is one; `forward` then
    returns the output and behind it what the heads say, as a tuple, for a loss that weighs them.
    """

    def __init__(
        self,
        parts: Sequence[nn.Module],
        channels: int,
        num_classes: int,
        in_channels: int,
        dropout: float,
        heads: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.parts = nn.ModuleList(parts)
        self.heads = nn.ModuleList(heads)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(_init_weights)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(N, in_channels, H, W) -> (N, num_classes), in training behind it those of the heads."""
        aside = []
        for index, part in enumerate(self.parts):
            x = part(x)
            if self.training and index < len(self.heads):
                aside.append(self.heads[index](x))
        out = self.classifier(self.dropout(x.mean((2, 3))))
        return (out, *aside) if aside else out

    def _explain(self, x: Tensor) -> str | None:
        known = x.dim() == 4 and x.shape[1] == self.in_channels
        if known and self.training and len(self.heads):
            height, width = x.shape[2:]
            twin = deepcopy(self).to("meta")
            if _runs(twin.eval(), height, width) and not _runs(twin.train(), height, width):
                return (
                    f"A picture of {height}×{width} does not fit the side heads of "
                    f"{type(self).__name__}; take the published size, or aux_classifiers=False."
                )
        return super()._explain(x)


def _init_weights(module: nn.Module) -> None:
    """He's normal start by fan-in: by fan-out a 1×1 to few maps blows up a net without norms."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
