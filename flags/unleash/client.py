"""The one door to UnleashClient, which registers this process with the server and fetches in threads of its own.

Its ways, each with its answer here:

| the client | so |
|---|---|
| blocks while it is opened, as long as the server is silent | it is opened in a thread, with a short time-out |
| says it is initialized after a refused connection or token | each answer counts, seen by a hook on its requests |
| logs a failed fetch and goes on, and says nothing of a 304 | both are heard here: a 304 confirms the state |
| loads each answer into an engine of its own | its cache gives nothing back: the only engine is ours |
| remembers the ETag of an answer that nobody could load | the cache tells the ETag of what was adopted |
| unpickles a file that all processes of one name share | its cache is kept nowhere |
"""

import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from UnleashClient.cache import BaseCache
from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.constants import ETAG, FEATURES_URL, REGISTER_URL
from UnleashClient.utils import LOGGER, InstanceAllowType

from flags.context import APP_NAME
from flags.unleash.server import (
    TIMEOUT_S,
    Failure,
    Fetched,
    Heard,
    Trouble,
    Unchanged,
    UnleashServer,
    refused,
    silent,
    unreachable,
)

if TYPE_CHECKING:
    from requests import Response

_SCHEDULER: Final = logging.getLogger("apscheduler")


class Connection:
    """One client of one server; `etag` is that of the state in force, empty to be sent the whole state again."""

    def __init__(self, server: UnleashServer, tell: Callable[[Heard], None]) -> None:
        self.etag = ""
        self._server = server
        self._tell = tell
        """Called from the client's threads."""
        self._registered = False
        self._listener = _Listener(f"{server.url}{FEATURES_URL}", tell)
        self._client: UnleashClient | None = None
        self._busy = threading.Lock()
        self._closed = False

    def open(self) -> bool:
        """Register, fetch once and go on fetching; True once the server knows this process. In a thread, it blocks."""
        with self._busy:
            if not self._closed:
                self._open()
        return self._registered

    def _open(self) -> None:
        LOGGER.addHandler(self._listener)
        LOGGER.propagate = False
        _SCHEDULER.setLevel(logging.ERROR)
        self._client = self._made()
        try:
            self._client.initialize_client()
        except (OSError, ValueError) as error:  # an address that cannot be one; what the network does is not raised
            self._tell(unreachable(type(error).__name__))

    def close(self) -> None:
        """Stop fetching. In a thread: a fetch on its way is waited for."""
        with self._busy:
            self._closed = True
            if self._client is not None:
                self._client.destroy()
        LOGGER.removeHandler(self._listener)

    def _made(self) -> UnleashClient:
        return UnleashClient(
            url=self._server.url,
            app_name=APP_NAME,
            environment=self._server.environment,
            instance_id=self._server.instance,
            refresh_interval=self._server.refresh_s,
            metrics_interval=self._server.usage_s,
            disable_metrics=True,
            custom_headers={"Authorization": self._server.token},
            custom_options={"hooks": {"response": self._look}},
            request_timeout=TIMEOUT_S,
            request_retries=0,
            cache=_EtagOnly(lambda: self.etag),
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
        )

    def _look(self, response: "Response", **_: object) -> None:
        """Look at an answer to any request of the client; redirections are followed by their answer."""
        path = (response.request.path_url or "").partition("?")[0]
        if response.is_redirect:
            return
        if path.endswith(REGISTER_URL):
            self._registered = response.ok
        elif path.endswith(FEATURES_URL):
            self._fetched(response)

    def _fetched(self, response: "Response") -> None:
        took_s = response.elapsed.total_seconds()
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            self._tell(Unchanged(took_s=took_s))
        elif response.status_code == HTTPStatus.OK:
            etag = response.headers.get("etag", "")
            self._tell(Fetched(content=response.content, etag=etag, took_s=took_s))
        else:
            self._tell(refused(response.status_code))


class _EtagOnly(BaseCache):
    """A cache that keeps nothing, and knows the ETag of the state in force."""

    def __init__(self, etag: Callable[[], str]) -> None:
        self._etag = etag

    def set(self, key: str, value: Any) -> None:
        """Keep nothing."""

    def mset(self, data: dict[str, Any]) -> None:
        """Keep nothing."""

    def get(self, key: str, default: Any = None) -> Any:
        """The ETag, and nothing else."""
        return self._etag() if key == ETAG else default

    def exists(self, key: str) -> bool:
        """Whether it is the ETag."""
        return key == ETAG

    def destroy(self) -> None:
        """There is nothing to let go."""


class _Listener(logging.Handler):
    """Hears from the client's log why a fetch had no answer; nothing else of that log is news."""

    def __init__(self, address: str, tell: Callable[[Heard], None]) -> None:
        super().__init__(logging.WARNING)
        self._address = address
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the failure that a line is about, if it is about one of ours."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        for error in arguments:
            request = getattr(error, "request", None)
            if isinstance(error, OSError) and str(getattr(request, "url", "")).startswith(self._address):
                self._tell(_failure(error))


def _failure(error: OSError) -> Failure:
    """What an exception of a fetch says; the client's retries, none though they are, wrap why there was no answer."""
    reason = getattr(error.args[0] if error.args else None, "reason", None) or error
    kind = type(reason).__name__
    if kind in ("ReadTimeout", "ReadTimeoutError"):
        return silent(TIMEOUT_S)
    if kind == "ResponseError":
        return Failure(trouble=Trouble.UNEXPECTED, said=f"The server answers with an error ({reason}).")
    return unreachable(kind)
