"""The console process: `/api/v1` and `/console`; under `lockgate serve` the worker runs in it too."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.store.ledger import Ledger
from gateway.store.migrate import check
from lockgate.health import ProcessHealth
from lockgate.internal import internal_key
from lockgate.processes.allowed import allowed_upstreams
from lockgate.processes.machine import machine_of
from lockgate.processes.shared import bell_state, ledger_state, objects_of, open_ledger
from lockgate.processes.worker import job_states, working
from lockgate.settings import Settings
from lockgate.web import App
from review.api.app import create_app
from review.api.handlers import HANDLERS
from review.api.parts import ApiSettings, Parts
from review.people.sessions import Attempts
from review.work import Work


class Console:
    """A running console."""

    def __init__(self, name: str, parts: Parts, work: Work | None) -> None:
        self.app: App = create_app(parts, HANDLERS)
        self._name = name
        self._parts = parts
        self._work = work
        self._state = "ready"

    async def health(self) -> ProcessHealth:
        """How the console and what it depends on are."""
        return ProcessHealth(
            process=self._name,
            ready=self._state == "ready",
            state=self._state,
            dependencies=(
                await ledger_state(self._parts.ledger),
                bell_state(self._parts.ledger),
                *(job_states(self._work) if self._work is not None else ()),
            ),
        )

    async def complete(self) -> None:
        """Nothing is left to open."""

    async def drain(self) -> None:
        """Not ready any more; requests in flight finish, and streams end."""
        self._state = "draining"
        self._parts.streams.close()


@asynccontextmanager
async def open_console(settings: Settings, name: str, *, with_worker: bool) -> AsyncIterator[Console]:
    """A console on a migrated ledger. Raises: LedgerTooOld, LedgerTooNew, LedgerUnavailable."""
    await check(settings.ledger_url)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        work = await stack.enter_async_context(working(settings, name, ledger)) if with_worker else None
        yield Console(name, parts_of(settings, ledger), work)


def parts_of(settings: Settings, ledger: Ledger) -> Parts:
    """What the application's handlers work with."""
    return Parts(settings=api_settings(settings), ledger=ledger, objects=objects_of(settings), attempts=Attempts())


def api_settings(settings: Settings) -> ApiSettings:
    """The settings that the application reads."""
    return ApiSettings(
        link_url=settings.link_url,
        secure_cookies=settings.secure_cookies,
        session_s=settings.session_s,
        invitation_s=settings.invitation_s,
        body_max_bytes=settings.api_body_max_bytes,
        upload_max_bytes=settings.upload_max_bytes,
        data_directory=settings.data_directory.absolute(),
        artifacts=settings.artifacts,
        payloads_url=settings.payloads_url,
        traffic=settings.traffic,
        internal_key=internal_key(settings),
        recipes=settings.recipes,
        upstreams=allowed_upstreams(settings),
        unleash=settings.unleash_place,
        machine=machine_of(settings),
    )
