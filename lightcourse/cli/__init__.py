"""The `lightcourse` command: parses, calls, and turns every error into one sentence."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

DONE, FOUND, WRONG_CALL = 0, 1, 2


def _say(sentence: str) -> None:
    print(f"lightcourse: {sentence}", file=sys.stderr)


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    0 done, 1 found something wrong, 2 called wrongly. With ``--debug`` errors keep their traceback.

    >>> run(["--version"])
    lightcourse 0.1.0
    0
    """
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args
    args = [a for a in args if a != "--debug"]
    import typer

    from lightcourse.cli.app import app

    # the base of all of typer's "called wrongly" errors; newer typers carry click inside
    bad_call: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    try:
        code = app(args, prog_name="lightcourse", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except typer.Exit as end:
        return end.exit_code
    except bad_call as error:
        if debug:
            raise
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "lightcourse"
        _say(f"{error.format_message().rstrip('.')}; '{path} --help' shows what is possible.")
        return WRONG_CALL
    except UserError as error:
        if debug:
            raise
        _say(str(error))
        return WRONG_CALL
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped; nothing was lost.")
        return FOUND
    except BrokenPipeError:  # `lightcourse … | head` closed the pipe: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if debug:
            raise
        _say(f"{type(error).__name__}: {error}; run it again with --debug to see where.")
        return FOUND


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run())
