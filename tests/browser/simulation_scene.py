"""A week of recorded traffic of the scene's model, which was all held, and of which people have settled a part."""

import asyncio
import math
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from flags.store import StoredState
from gateway.ids import new_id
from gateway.record.entries import Decided, FlagFacts, ItemFacts
from gateway.store.flags import current_state
from gateway.times import now_us
from review.simulation.running import Simulations
from tests.browser.scene import Scene
from tests.integration.record.scene import record
from tests.outcomes import Ground, Settled, settle
from tests.worlds import add_key

HOUR_US = 3_600_000_000
HOURS = 6 * 24
CLASSES = ("positive", "negative")


def record_a_week(scene: Scene, folder: Path) -> None:
    """Record requests by day and by night; of every third one people have said what is right."""
    scene.run(_record(scene, folder))


def simulate_waiting(scene: Scene, folder: Path) -> None:
    """Do the simulation whose turn it is, as a worker does."""
    work = Simulations(scene.ledger, folder / "traffic", folder / "artifacts")
    assert scene.run(asyncio.wait_for(work.run(), 60))


async def _record(scene: Scene, folder: Path) -> None:
    world, draw = scene.world, Random(5)
    async with scene.ledger.writing() as w:
        key_id = await add_key(w, world.tenant_id, "web-shop")
        state = await current_state(w)
        where = Ground(
            tenant_id=world.tenant_id, model_id=world.model_id, release_id=world.release_id, queue_id=world.queue_id,
            queue_revision_id=world.queue_revision_id, key_id=key_id, people=tuple(world.people.values())[:2],
            objects=folder / "objects",
        )  # fmt: skip
        entries = [entry for hour in range(HOURS) for entry in await _hour(w, where, state, hour, draw)]
    await record(folder / "traffic", entries)


async def _hour(w: Any, where: Ground, state: StoredState, hour: int, draw: Random) -> list[Decided]:
    at_us = now_us() - (HOURS - hour) * HOUR_US
    count = round(3 + 9 * max(0.0, math.sin((hour % 24 - 6) / 24 * 2 * math.pi)))
    entries = [_entry(where, state, at_us + place * HOUR_US // (count + 1), draw) for place in range(count)]
    known = entries[::3]
    ids = await settle(w, where, [_settled(entry, draw) for entry in known], at_us=at_us)
    named = {entry.prediction: id_ for entry, id_ in zip(known, ids, strict=True)}
    return [_renamed(entry, named.get(entry.prediction)) for entry in entries]


def _entry(where: Ground, state: StoredState, at_us: int, draw: Random) -> Decided:
    score, answer = 0.5 + draw.random() / 2, draw.choice(CLASSES)
    item = ItemFacts(score=score, held=True, rule="automated_off", answer=answer, unfit="")
    return Decided(
        at_us=at_us, process="gateway-1", prediction=new_id(), tenant=where.tenant_id, model="sentiment",
        release="sentiment@1", path="review", decided_path="review", rule="automated_off",
        decided_rule="automated_off", public_rule="review_on", api_key=where.key_id,
        input_digest=f"{draw.getrandbits(256):064x}", output_digest="0" * 64, asked=False, items=(item,),
        flags=FlagFacts(state=state.digest, evaluated_us=at_us),
    )  # fmt: skip


def _settled(entry: Decided, draw: Random) -> Settled:
    """What people said of it: the surer the model was, the more often it was right."""
    item = entry.items[0]
    said = str(item.answer)
    right = draw.random() < (item.score or 0.0)
    truth = said if right else next(one for one in CLASSES if one != said)
    text: Any = np.array([["a sentence"]], dtype=object)
    return Settled(inputs={"text": text}, answers=(truth,), said=(said,), scores=(item.score or 0.0,))


def _renamed(entry: Decided, id_: Any) -> Decided:
    return entry if id_ is None else msgspec.structs.replace(entry, prediction=id_)
