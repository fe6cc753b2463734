"""The live form of a scene: an anywidget whose state Python and the picture share."""

from typing import Any

import anywidget
import traitlets

from .html import payload, short_script
from .scene import Scene, clamp


class SceneWidget(anywidget.AnyWidget):
    """A scene as a widget: read or observe `state`, or assign to it, and the picture follows.

    It needs a running kernel; everything else prefers the inline HTML of `Scene`.

    >>> from lightcourse import viz
    >>> widget = viz.channel_shuffle().widget()
    >>> widget.set(step=3)
    >>> widget.state["step"]
    3
    """

    _esm = short_script()
    spec = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    theme = traitlets.Unicode("").tag(sync=True)
    asks = traitlets.Bool(False).tag(sync=True)
    css = traitlets.Unicode("").tag(sync=True)

    def __init__(self, scene: Scene, **traits: Any) -> None:
        super().__init__(**payload(scene), **traits)

    @traitlets.validate("state")
    def _inside(self, proposal: Any) -> dict[str, int]:
        return clamp(self.spec, proposal["value"])

    def set(self, **state: int | str) -> None:
        """Move to another state; names and values as in `Scene.at`."""
        self.state = Scene(self.spec, self.state).at(**state).state
