"""Traffic under `/api/v1/traffic`: what was answered on which path, by which rule and release."""

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


class DimensionUnknown(BadRequest):
    """Traffic cannot be grouped by '{name}': use {known}."""

    code = "dimension-unknown"


class TrafficShown(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a window, in the order of the groups' values."""

    since_us: int
    until_us: int
    by: tuple[Dimension, ...]
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
        by: Annotated[str, Parameter(description="What to group by, separated by commas.")] = ",".join(BY_DEFAULT),
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


def dimensions_of(names: str) -> tuple[Dimension, ...]:
    """The dimensions in a list with commas, each once. Raises: DimensionUnknown."""
    known: dict[str, Dimension] = {name: name for name in get_args(Dimension)}
    wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    for name in wanted:
        if name not in known:
            raise DimensionUnknown(name=name[:40], known=", ".join(known))
    return tuple(known[name] for name in wanted)
