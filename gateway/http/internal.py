"""Where the processes of one installation ask the console, and the header by which it knows them."""

import msgspec

KEY_HEADER = "x-lockgate-internal"
PREDICTIONS = "/internal/predictions"
OUTCOMES = "/internal/outcomes"
FOUNDED = "/internal/founded"


class Founded(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody who can sign in is an admin."""

    by_admin: bool
