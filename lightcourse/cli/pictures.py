"""`lightcourse demo`: a scene in a window of its own, or in a file."""

from pathlib import Path

from lightcourse.errors import UserError


def list_scenes() -> int:
    """Print every scene with its claim."""
    from lightcourse.viz import SCENES, get_scene

    for name in SCENES:
        print(f"{name:20} {get_scene(name).spec['title']}")
    print("\nOpen one with 'lightcourse demo NAME'.")
    return 0


def parse_settings(settings: list[str]) -> dict[str, str]:
    """`["net=fast", "layer=3"]` to a dict; UserError for anything else."""
    wrong = [s for s in settings if "=" not in s]
    if wrong:
        raise UserError(f"--set {wrong[0]} has no value; write it as --set name=value.")
    return {k.strip(): v.strip() for k, v in (s.split("=", 1) for s in settings)}


def show_or_write(
    name: str, files: dict[str, Path], settings: list[str], *, theme: str, play: bool
) -> int:
    """Write the scene to each file, given by suffix, or open it when there is none."""
    from lightcourse.viz import demo, get_scene

    if theme not in ("light", "dark"):
        raise UserError(f"there is no theme {theme!r}; choose light or dark.")
    values = parse_settings(settings)
    if not files:
        demo(name, set=values, theme=theme, play=play)
        return 0
    scene = get_scene(name).at(**values)
    for suffix, path in files.items():
        if path.suffix != suffix:
            raise UserError(f"{path} does not end in {suffix}; name the file {path.stem}{suffix}.")
        if not path.parent.is_dir():
            raise UserError(f"there is no folder {path.parent}; make it first.")
        try:
            scene.save(path, theme=theme)
        except OSError as error:
            raise UserError(
                f"{path} cannot be written ({error.strerror}); choose another place."
            ) from error
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB")
    return 0
