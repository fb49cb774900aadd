"""What can go wrong in a command, as one tree.

A class's docstring is its message, with the fields of the instance in braces: first what is wrong, then what to do.
`exit_code` and `code` are stable and part of the public contract (docs/commands.md).
"""

from typing import ClassVar

OK = 0
USAGE = 2


class CommandError(Exception):
    """The command failed."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((type(self).__doc__ or "").split()).format(**fields))


class Refused(CommandError):
    """{detail}"""

    code = "failed"


class ThingMissing(CommandError):
    """{detail}"""

    exit_code = 3
    code = "not-found"


class NotAllowed(CommandError):
    """{detail}"""

    exit_code = 4
    code = "not-allowed"


class NotSignedIn(NotAllowed):
    """{url} knows no such key, or none was sent: type 'lockgate login' or set LOCKGATE_TOKEN."""

    code = "not-signed-in"


class StateChanged(CommandError):
    """{detail}"""

    exit_code = 5
    code = "conflict"


class Unreachable(CommandError):
    """Nobody answers at {url} ({why}): start Lockgate with 'lockgate serve', or name another server with --url."""

    exit_code = 6
    code = "unreachable"


class ServerUnavailable(CommandError):
    """{detail}"""

    exit_code = 6
    code = "unavailable"


class WrongSetting(CommandError):
    """The setting {name} is wrong: {why} (from {source}); 'lockgate config' shows every setting."""

    exit_code = USAGE
    code = "wrong-setting"


class UnknownSetting(CommandError):
    """There is no setting {name} (from {source}){hint}; 'lockgate config' shows every setting."""

    exit_code = USAGE
    code = "unknown-setting"


class UnreadableFile(CommandError):
    """{path} cannot be read: {why}."""

    exit_code = USAGE
    code = "unreadable-file"


class UnwritableFile(CommandError):
    """{path} cannot be written: {why}."""

    exit_code = USAGE
    code = "unwritable-file"


class CardFaulty(CommandError):
    """{file} with {card} may not be served yet. To put right ({count}):{faults}"""

    code = "card-faulty"


class NothingToMeasure(CommandError):
    """{release} runs at {upstream}, and not here: measure it there."""

    code = "nothing-to-measure"


class PortTaken(CommandError):
    """Somebody else listens on {address} (the setting {setting}): stop that process, or choose another address with
    LOCKGATE_{variable}=HOST:PORT."""

    code = "port-taken"


class AddressUnusable(CommandError):
    """{address} (the setting {setting}) cannot be listened on: {why}."""

    exit_code = USAGE
    code = "address-unusable"


class ChildFailed(CommandError):
    """{process} ended {times} times before it was ready; the log above says why. 'lockgate doctor' may know more."""

    code = "child-failed"


class LedgerNotMigrated(CommandError):
    """The ledger's tables are not those of this release: type 'lockgate migrate'."""

    code = "ledger-not-migrated"


class AdminExists(CommandError):
    """There is an admin already, and the data directory is not on this machine: ask an admin for an invitation
    ('lockgate people invite')."""

    exit_code = 4
    code = "admin-exists"


class NotATerminal(CommandError):
    """The link signs somebody in, so it is shown only on a terminal: add --print to send it elsewhere."""

    exit_code = USAGE
    code = "not-a-terminal"


class UnknownContext(CommandError):
    """There is no context named '{name}': 'lockgate contexts' lists them, 'lockgate login --context {name}' makes
    one."""

    exit_code = 3
    code = "unknown-context"


class BackupDamaged(CommandError):
    """{path} is not a whole backup: {why}. Nothing was restored."""

    code = "backup-damaged"


class PlaceNotEmpty(CommandError):
    """{place} is not empty; a backup is restored only into an empty place. Choose another data directory or
    database."""

    exit_code = 5
    code = "place-not-empty"


class StillRunning(CommandError):
    """A Lockgate process works on this data directory: stop it first."""

    exit_code = 5
    code = "still-running"
