"""The commands, thin: each parses, imports what it needs, calls, and prints."""

from pathlib import Path
from typing import Annotated

import typer

from lightcourse import __version__

app = typer.Typer(
    name="lightcourse",
    help="A course on lightweight CNN design: open it, check your answers, measure any network.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # keeps --help under 0.3 s: rich is imported only where it prints
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 found something wrong, 2 called wrongly. "
    "--debug shows the traceback of an error.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"lightcourse {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Runs before every command; --version is answered here."""


@app.command()
def lab(
    chapter: Annotated[
        str, typer.Argument(help="Chapter to open: 02 or 02_receptive_field.")
    ] = "00",
    port: Annotated[int | None, typer.Option(help="Port; without it the first free one.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Check this machine and open the course in JupyterLab."""
    from lightcourse.cli.lab import open_lab

    raise typer.Exit(open_lab(chapter, port=port, browser=browser))


@app.command()
def doctor() -> None:
    """Say what this machine has, what is missing, and the way out."""
    from lightcourse.cli.doctor import examine

    raise typer.Exit(examine())


@app.command()
def demo(
    name: Annotated[str | None, typer.Argument(help="Scene, e.g. channel-shuffle.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a vector picture.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture.")] = None,
    gif: Annotated[Path | None, typer.Option(help="Write an animation.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Start value: --set groups=4 --set step=2.")
    ] = None,
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    play: Annotated[bool, typer.Option("--play", help="Start playing.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the scenes.")] = False,
) -> None:
    """Open an interactive picture full-window and offline, or write it to a file."""
    from lightcourse.cli.pictures import list_scenes, show_or_write

    if list_ or name is None:
        raise typer.Exit(list_scenes())
    files = {".html": html, ".svg": svg, ".png": png, ".gif": gif}
    wanted = {suffix: path for suffix, path in files.items() if path is not None}
    raise typer.Exit(show_or_write(name, wanted, settings or [], theme=theme, play=play))


@app.command()
def analyze(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET",
            help="Model name, package.module:factory, file.py:factory or program.pt2.",
        ),
    ],
    size: Annotated[int | None, typer.Option(help="Side of the picture [224].", min=1)] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures at once [1].", min=1)] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of it [3].", min=1)] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="macs, params, memory, intensity, receptive_field or name."),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="table, json, csv or html.")] = "table",
    latency: Annotated[bool, typer.Option("--latency", help="Also time it here.")] = False,
    threads: Annotated[int, typer.Option(help="Threads to time it with.", min=1)] = 1,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Cost, memory and receptive field of every layer; several targets are compared.

    A saved torch.export program (.pt2) is analysed with the shapes it was exported with.
    """
    from lightcourse.cli.measure import Order, Picture, print_reports

    order = Order(format_, sort, latency, threads, output)
    raise typer.Exit(print_reports(targets, Picture(batch, channels, size), order))


@app.command()
def atlas(
    term: Annotated[str | None, typer.Argument(help="A word in English or Chinese.")] = None,
    chapter: Annotated[int | None, typer.Option(help="All of one chapter.", min=1)] = None,
) -> None:
    """Find an idea in the course: its chapter, what builds it, and its paper."""
    from lightcourse.atlas import entries, find

    if (term is None) == (chapter is None):
        raise typer.BadParameter("Give a word, or --chapter with its number")
    found = find(term) if term is not None else entries(chapter)
    print("\n\n".join(map(str, found)))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Tell all about this one.")] = None,
    family: Annotated[str | None, typer.Option(help="Only one family, as MobileNetV2.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> None:
    """List the models: parameters, MACs, published accuracy; or the paper of one."""
    from lightcourse.cli.models import print_models

    raise typer.Exit(print_models(name, family, format_))


@app.command()
def bench(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Networks to time layer by layer; or 'models': all light ones, side by side.",
        ),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the picture [224].", min=1)] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures at once [1].", min=1)] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of it [3].", min=1)] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="How long to probe the machine [30]; a network with 'models' [0.5]."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads to use.", min=1)] = 1,
    force: Annotated[bool, typer.Option("--force", help="Probe again.")] = False,
    family: Annotated[
        list[str] | None, typer.Option(help="With 'models': only this family; can be repeated.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="With 'models': one variant of each.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="With 'models': folder for the table, resumed when it is there.")
    ] = Path("portrait"),
) -> None:
    """Find this machine's peak and bandwidth once, and time networks against them.

    `bench models` times all light networks instead, 1 thread and all, in three runtimes.
    """
    from lightcourse.cli.bench import print_bench, print_portrait
    from lightcourse.cli.measure import Picture

    if "models" in (targets or []) and len(targets or []) > 1:
        raise typer.BadParameter("'models' times all light networks and stands alone")
    if targets == ["models"]:
        each = 0.5 if seconds is None else seconds
        raise typer.Exit(print_portrait(family or [], seconds=each, quick=quick, out=out))
    picture = Picture(batch, channels, size)
    long = 30 if seconds is None else seconds
    code = print_bench(targets or [], picture, seconds=long, threads=threads, force=force)
    raise typer.Exit(code)


@app.command()
def train(
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Model name, package.module:factory or file.py:factory."
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="builtin, builtin16, builtin64, cifar10, cifar100, fashion_mnist or DIR."
        ),
    ] = "builtin",
    images: Annotated[
        int | None, typer.Option(help="So many training pictures only.", min=1)
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(help="Width multiplier; a function of yours gets it as width_mult."),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training pictures.")] = 8,
    batch: Annotated[int, typer.Option(help="Pictures per step.")] = 64,
    lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 0.012,
    optimizer: Annotated[str, typer.Option(help="adamw or sgd.")] = "adamw",
    schedule: Annotated[str, typer.Option(help="onecycle, cosine or constant.")] = "onecycle",
    seeds: Annotated[int, typer.Option(help="Train so often, seeds 0, 1, ….", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for states and histories.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what --out holds.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 1 repeats bit by bit.", min=1)] = 1,
    root: Annotated[Path | None, typer.Option(help="Where the real data lies.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch it if need be.")] = False,
) -> None:
    """Train a model with one or more seeds and print its test accuracy, mean ± deviation.

    Exit code 1: a run diverged, or the disk is full; 130: Ctrl-C, the state is saved in --out.
    """
    from lightcourse.cli.train import Data, train_seeds

    recipe = {
        "epochs": epochs, "batch_size": batch, "lr": lr, "optimizer": optimizer,
        "schedule": schedule, "device": device, "threads": threads,
    }  # fmt: skip
    pictures = Data(data, images, root, download)
    raise typer.Exit(train_seeds(target, width, pictures, recipe, seeds, out, resume=resume))


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="A study, as receptive_field, or a log (.json).")],
    quick: Annotated[bool, typer.Option("--quick", help="Small: at most a minute.")] = False,
    seeds: Annotated[int | None, typer.Option(help="Seeds 0, 1, … [3].", min=1)] = None,
    images: Annotated[int | None, typer.Option(help="So many training pictures.", min=1)] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over them.", min=1)] = None,
    jobs: Annotated[int, typer.Option(help="Processes side by side.", min=1)] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler that trains, as tcp://host:8786.")
    ] = None,
    cache: Annotated[bool, typer.Option(help="Keep finished runs, and take those there.")] = True,
    out: Annotated[Path | None, typer.Option(help="Folder for log and figure.")] = None,
) -> None:
    """Run one of the course's experiments: variants × seeds, a table, a verdict.

    Exit code 130: Ctrl-C; finished runs are kept, and the same command goes on from there.
    """
    from lightcourse.cli.study import run_study

    settings = {
        "quick": quick or None, "seeds": seeds, "train": images, "epochs": epochs, "jobs": jobs,
        "scheduler": scheduler, "cache": cache,
    }  # fmt: skip
    raise typer.Exit(run_study(name, out, settings))


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook of a chapter.")],
    timeout: Annotated[int, typer.Option(help="Seconds for the whole notebook.", min=1)] = 300,
) -> None:
    """Run your notebook and check every exercise in it."""
    from lightcourse.checks.notebook import check_notebook

    raise typer.Exit(check_notebook(notebook, timeout=timeout))


@app.command()
def progress() -> None:
    """Show what you have solved so far."""
    from lightcourse.checks.progress import render

    print(render())


@app.command()
def build(
    chapters: Annotated[list[str] | None, typer.Argument(help="Chapters; all without it.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail on any difference or broken gate.")
    ] = False,
    execute: Annotated[
        bool, typer.Option("--execute", help="Also run each solved chapter in a fresh kernel.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite notebooks that somebody worked in.")
    ] = False,
) -> None:
    """Make the student notebooks in course/ from solutions/ (for authors)."""
    from lightcourse.authoring import run_build

    raise typer.Exit(run_build(chapters or [], check=check, execute=execute, force=force))
