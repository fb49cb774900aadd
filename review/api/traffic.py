"""Traffic under `/api/v1/traffic`: what was answered on which path, by which rule and release."""

import re
from typing import Annotated, get_args

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from gateway.errors import BadRequest
from gateway.store.ledger import Ledger
from gateway.store.segments import LedgerSegments
from gateway.times import after_us, now_us
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.traffic.query import BY_DEFAULT, Dimension, TrafficCount, TrafficReader, Window

HOUR_S = 3600.0
_FIELD = re.compile(r"context\.[A-Za-z][A-Za-z0-9_.-]{0,62}", re.ASCII)


class DimensionUnknown(BadRequest):
    """Traffic cannot be grouped by '{name}': use {known}, or context. and the name of a context field."""

    code = "dimension-unknown"


class TrafficShown(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a window, in the order of the groups' values."""

    since_us: int
    until_us: int
    by: tuple[str, ...]
    counts: tuple[TrafficCount, ...]


class TrafficController(Controller):
    """Traffic."""

    path = "/api/v1/traffic"
    tags = ("traffic",)

    @get("/", **needs("inspect"))
    async def count(
        self,
        ledger: Ledger,
        actor: Actor,
        settings: ApiSettings,
        since_us: Annotated[
            int | None, Parameter(description="From when; an hour before the end unless given.")
        ] = None,
        until_us: Annotated[int | None, Parameter(description="Until when; now unless given.")] = None,
        model: str | None = None,
        by: Annotated[
            str, Parameter(description="What to group by, separated by commas; `context.plan` is a context field.")
        ] = ",".join(BY_DEFAULT),
    ) -> TrafficShown:
        """How many predictions, items, holds and audits there were in a window."""
        dimensions = dimensions_of(by)
        until = now_us() if until_us is None else until_us
        since = after_us(until, -HOUR_S) if since_us is None else since_us
        window = Window(tenant=actor.tenant_id, since_us=since, until_us=until, model=model)
        counts = await traffic_of(settings, ledger).counts(window, dimensions)
        return TrafficShown(since_us=since, until_us=until, by=dimensions, counts=counts)


def traffic_of(settings: ApiSettings, ledger: Ledger) -> TrafficReader:
    """The traffic log of this machine."""
    return TrafficReader(settings.traffic, LedgerSegments(ledger))


def dimensions_of(names: str) -> tuple[str, ...]:
    """The dimensions in a list with commas, each once. Raises: DimensionUnknown."""
    known = get_args(Dimension)
    wanted = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in wanted:
        if name not in known and not _FIELD.fullmatch(name):
            raise DimensionUnknown(name=name[:40], known=", ".join(known))
    return wanted
