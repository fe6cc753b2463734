"""A scene in words: what a terminal prints and a screen reader reads, step by step."""

from typing import Any

from .scene import Scene, caption, clamp, count, resolve


def to_text(scene: Scene) -> str:
    """Return title, claim, the chosen settings, and one line for every step of the timeline.

    >>> from lightcourse import viz
    >>> "transpose" in viz.channel_shuffle().text()
    True
    """
    spec = scene.spec
    lines = [spec["title"], spec.get("subtitle", ""), f"{spec['alt']}.", ""]
    lines += [f"{p['label']}: {_chosen(p, scene)}" for p in spec["params"] if "options" in p]
    warning = str(resolve(spec.get("warn", ""), spec, scene.state))
    if warning:
        lines.append(f"Not possible: {warning}")
    return "\n".join(line for line in [*lines, "", *_steps(scene)] if line is not None).strip()


def _chosen(param: dict[str, Any], scene: Scene) -> str:
    """The options as a list, the current one in brackets."""
    now = scene.state[param["name"]]
    return ", ".join(f"[{o}]" if i == now else o for i, o in enumerate(param["options"]))


def _steps(scene: Scene) -> list[str]:
    """One numbered line a step, the current one marked; a scene without steps has its caption."""
    spec = scene.spec
    step = next((p for p in spec["params"] if p["kind"] == "step"), None)
    if step is None:
        return [scene.caption()]
    lines = []
    for index in range(count(step, spec, scene.state)):
        state = clamp(spec, {**scene.state, step["name"]: index})
        label = resolve(step["labels"], spec, state) if "labels" in step else index
        mark = ">" if index == scene.state[step["name"]] else " "
        lines.append(f"{mark} {step['label']} {label}: {caption(spec, state)}")
    return lines
