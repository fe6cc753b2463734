"""The one error that a user may see: a clear sentence with the way out."""


class UserError(Exception):
    """Something the user can put right: says in one sentence what is wrong and the way out."""
