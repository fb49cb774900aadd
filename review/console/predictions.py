"""A prediction under `/console/predictions/{id}`: its story as a page that one can link to and print."""

import asyncio
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import SkipValidation

from gateway.policy import Policy
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from gateway.store.serving import release_plan
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.console import words
from review.console.pages import Asked, page
from review.console.shown import shown_inputs
from review.predictions import ItemStory, read_input, tell_story


class PredictionsPages(Controller):
    """Predictions."""

    path = "/predictions"
    include_in_schema = False

    @get("/{prediction_id:uuid}", **needs("inspect"))
    async def show(
        self,
        request: Asked,
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
        actor: Actor,
        prediction_id: UUID,
    ) -> Response[str]:
        """The story of a prediction."""
        traffic = traffic_of(settings, ledger)
        story = await tell_story(ledger, traffic, objects, actor.tenant_id, prediction_id)
        release = None
        if story.release_id is not None:
            async with ledger.reading() as r:
                release = await release_plan(r, story.model, story.release_id)
        payload = await read_input(traffic, objects, actor.tenant_id, story)
        inputs = [
            await asyncio.to_thread(shown_inputs, release.card, payload, item.item, story.item_count)
            for item in story.items
            if release is not None
        ]
        policy = release.policy if release is not None else Policy()
        return page(
            "prediction.html",
            request,
            story=story,
            inputs=inputs,
            labels=release.card.labels if release is not None else None,
            whys=[_why(item, policy) for item in story.items],
        )


def _why(item: ItemStory, policy: Policy) -> str:
    """Why an item was held; of one that was not, what let it through."""
    return words.why(item.rule, item.evidence, policy) if item.rule else ""
