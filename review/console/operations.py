"""Operations under `/console/operations`: every model as it stands now, and one timeline that grows by itself.

The page's script hears of something new from the timeline's stream and asks for the parts again, as HTML from the same
templates: the stream says when, and never what.
"""

from typing import Annotated, Any

from litestar import Controller, Response, get
from litestar.params import Parameter

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.timeline import POSITION_MAX
from review.api.traffic import traffic_of
from review.console.acts import ACTS, HELP, acts_of, page_keys
from review.console.models import Rates, rates_of
from review.console.pages import Asked, has, page
from review.flag_source import flags_now
from review.operations.memory import memory_now
from review.operations.now import models_now
from review.timeline.reading import Asked as AskedStretch
from review.timeline.reading import read_timeline

ENTRIES = 40
"""How many events the page shows below the models."""


class OperationsPages(Controller):
    """Operations."""

    path = "/operations"
    include_in_schema = False

    @get("/", **needs("inspect"))
    async def show(self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor) -> Response[str]:
        """Every model as it stands, what is wrong, and what happened."""
        values = await _values(ledger, settings, actor, AskedStretch(limit=ENTRIES))
        return page("operations.html", request, keys=page_keys(), help_key=HELP, open_key=ACTS["open"], **values)

    @get("/news", **needs("inspect"))
    async def news(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor,
        after: Annotated[int, Parameter(ge=0, le=POSITION_MAX)],
    ) -> Response[str]:  # fmt: skip
        """The models as they stand, and what happened behind a position, as parts of the page."""
        values = await _values(ledger, settings, actor, AskedStretch(after=after, limit=ENTRIES))
        return page("operations_news.html", request, open_key=ACTS["open"], **values)


async def _values(ledger: Ledger, settings: ApiSettings, actor: Actor, asked: AskedStretch) -> dict[str, Any]:
    rates = await rates_of(traffic_of(settings, ledger), actor)
    async with ledger.reading() as r:
        models = await models_now(r, actor.tenant_id)
        flags = await flags_now(r)
        memory = await memory_now(r, actor.tenant_id, settings.machine.memory_max_bytes)
        stretch = await read_timeline(r, actor.tenant_id, asked)
    return {
        "models": models,
        "flags": flags if flags.url is not None else None,
        "acts": {one.served.name: acts_of(one) if _operates(actor, one.id) else () for one in models},
        "bad": [one for one in models if any(trouble.level == "bad" for trouble in one.troubles)],
        "look": [one for one in models if one.troubles and all(trouble.level == "look" for trouble in one.troubles)],
        "memory": memory,
        "rates": rates,
        "quiet": Rates(),
        "stretch": stretch,
        "position": stretch.newest if stretch.newest is not None else asked.after or 0,
    }


def _operates(actor: Actor, model_id: Any) -> bool:
    return has(actor, "operate") and actor.may("operator", model_id)
