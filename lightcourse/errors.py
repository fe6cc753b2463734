"""The one error that a user may see: a clear sentence with the way out."""


class UserError(Exception):
    """Something the user can put right: says in one sentence what is wrong and the way out."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook prints in place of a stack."""
        return [f"\x1b[31m{self}\x1b[0m"]
