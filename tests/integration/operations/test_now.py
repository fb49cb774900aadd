"""How the models stand, on both databases."""

from flags.definitions import with_model_flags
from flags.embedded import EmbeddedFlags
from flags.store import Authorship
from gateway.store.events import append_event
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger, WriteSession
from review.halting import halt_model
from review.operations.now import ModelNow, models_now
from tests.integration.release.scene import operator_of
from tests.worlds import START_US, World, build_world, hold


async def world_of(ledger: Ledger) -> World:
    """A model with its flags, and three cases, two of them past due."""
    async with ledger.writing() as w:
        world = await build_world(w, now_us=await w.now_us())
        await hold(w, world, deadline_s=-1.0)
        await hold(w, world, deadline_s=-1.0, kind="audit")
        await hold(w, world)
    flags = EmbeddedFlags(LedgerFlagStore(ledger, world.tenant_id))
    author = Authorship(by="person:olga@example.org", why="The model was added.", at_us=START_US)
    await flags.change(lambda state: with_model_flags(state, "sentiment"), ("sentiment.automated",), author)
    return world


async def now_of(ledger: Ledger, world: World) -> ModelNow:
    """The one model as it stands."""
    async with ledger.reading() as r:
        (now,) = await models_now(r, world.tenant_id)
    return now


async def say(w: WriteSession, world: World, type_: str, at_us: int) -> None:
    """Append an event of a guard."""
    data = {"release": "sentiment@1", "why": "Too many errors."}
    await append_event(w, type_, "model:sentiment", data, by="worker", tenant_id=world.tenant_id, at_us=at_us)


async def test_what_waits_is_counted_by_model(ledger_url: str) -> None:
    """Cases, holds, and those that are past due, which is trouble."""
    ledger = Ledger.open(ledger_url)
    now = await now_of(ledger, await world_of(ledger))
    assert (now.waiting.cases, now.waiting.holds, now.waiting.overdue) == (3, 2, 2)
    assert "2 cases are past due." in [trouble.said for trouble in now.troubles]
    await ledger.close()


async def test_what_serves_is_told_since_when_and_by_whom(ledger_url: str) -> None:
    """The founding release with nothing before and nothing next; a halt is the first trouble."""
    ledger = Ledger.open(ledger_url)
    world = await world_of(ledger)
    now = await now_of(ledger, world)
    assert (now.served.release, now.by, now.next, now.back) == ("sentiment@1", "worker", None, False)
    await halt_model(ledger, operator_of(world.tenant_id), "sentiment", "refuse", "odd")
    assert (await now_of(ledger, world)).troubles[0].said == "Halted: every request is refused."
    await ledger.close()


async def test_a_guard_counts_while_the_release_serves_that_it_spoke_of(ledger_url: str) -> None:
    """What a guard said before is history; its breach now is trouble."""
    ledger = Ledger.open(ledger_url)
    world = await world_of(ledger)
    async with ledger.writing() as w:
        await say(w, world, "guard.breached", world.now_us - 1)
    assert (await now_of(ledger, world)).guard is None
    async with ledger.writing() as w:
        await say(w, world, "guard.breached", world.now_us + 1)
    now = await now_of(ledger, world)
    assert now.guard is not None
    assert now.troubles[0].said == "The guard found sentiment@1 in breach. Too many errors."
    await ledger.close()
