"""Parts that several kinds of process open in the same way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.errors import GatewayError
from gateway.record.payloads import ObjectStore, open_objects
from gateway.store.bell import Bell, DataVersionBell, LocalBell
from gateway.store.ledger import Ledger
from lockgate.health import Dependency
from lockgate.settings import Settings


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """The ledger with its bell started. Raises: UnsupportedDatabase, NetworkFileSystem."""
    bell = make_bell(settings)
    ledger = Ledger.open(settings.ledger_url, bell=bell, flags=settings.flag_home)
    try:
        await bell.start()
        yield ledger
    finally:
        await bell.close()
        await ledger.close()


def make_bell(settings: Settings) -> Bell:
    """The bell that reaches the other processes: Redis, or the SQLite file itself."""
    if settings.redis_url:
        from gateway.store.bell_redis import RedisBell

        return RedisBell(settings.redis_url)
    if settings.embedded:
        from sqlalchemy import make_url

        return DataVersionBell(Path(make_url(settings.ledger_url).database or ""))
    return LocalBell()


def objects_of(settings: Settings) -> ObjectStore:
    """The store of payload objects."""
    return open_objects(settings.payloads_url)


async def ledger_state(ledger: Ledger) -> Dependency:
    """Whether the ledger answers."""
    try:
        await ledger.ping()
    except GatewayError as error:
        return Dependency(name="ledger", state=f"down: {type(error.__cause__ or error).__name__}")
    return Dependency(name="ledger", state="up")


def bell_state(ledger: Ledger) -> Dependency:
    """Whether wake-ups arrive; without them everything is polled."""
    return Dependency(name="bell", state=ledger.bell.state())
