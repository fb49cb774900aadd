"""A prediction's story under `/api/v1/predictions/{id}`: the same that the console's page tells."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import SkipValidation

from gateway.holding.payload import InputPayload
from gateway.protocol.datatypes import datatype_of
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.predictions import PredictionStory, read_input, tell_story


class InputShown(msgspec.Struct, frozen=True, kw_only=True):
    """An input tensor as it came in; a number that is not finite is told as null."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any]


class StoryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction's story, with what came in where that was kept."""

    story: PredictionStory
    inputs: tuple[InputShown, ...]


class PredictionsController(Controller):
    """Predictions."""

    path = "/api/v1/predictions"
    tags = ("traffic",)

    @get("/{prediction_id:uuid}", **needs("inspect"))
    async def show(
        self,
        prediction_id: UUID,
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
        actor: Actor,
    ) -> StoryShown:
        """What came in, how it was decided, who judged it, and what its caller was told when."""
        traffic = traffic_of(settings, ledger)
        story = await tell_story(ledger, traffic, objects, actor.tenant_id, prediction_id)
        payload = await read_input(traffic, objects, actor.tenant_id, story)
        return StoryShown(story=story, inputs=_shown(payload))


def _shown(payload: InputPayload | None) -> tuple[InputShown, ...]:
    tensors = payload.inputs | payload.beside if payload is not None else {}
    return tuple(
        InputShown(name=name, datatype=datatype_of(tensor), shape=tensor.shape, data=tensor.ravel().tolist())
        for name, tensor in tensors.items()
    )
