"""A matplotlib figure that belongs to nobody and that every notebook shows."""

from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Picture(Figure):
    """A figure that a notebook shows, whether or not pyplot was imported before."""

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()


def new_picture(size: tuple[float, float], layout: Any = "constrained") -> Picture:
    """Return an empty figure of so many inches; pyplot's list of open figures does not grow."""
    figure = Picture(figsize=size, dpi=100, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure
