"""`python -m lightcourse` is the `lightcourse` command."""

from lightcourse.cli import main

main()
