"""Which value each live tensor holds, also after writes through views."""

from dataclasses import dataclass, field

from lightcourse.analysis._records import Op


@dataclass(slots=True)
class Slot:
    """Where a live tensor keeps the number of its present value, and its place among views."""

    owner: object
    value: int
    parent: "Slot | None" = None
    made_by: Op | None = None  # the view operator, and which of its outputs this is
    position: int = 0
    views: "list[Slot]" = field(default_factory=list)

    def is_view(self, parent: "Slot", made_by: Op, position: int) -> None:
        """Note that this tensor shares the memory of another."""
        self.parent, self.made_by, self.position = parent, made_by, position
        parent.views.append(self)
