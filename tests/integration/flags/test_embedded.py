"""Embedded flags from a change to the answer of a process that follows them."""

import asyncio
import math
from functools import reduce

import msgspec
import pytest

from flags.answer import NOTHING_LOADED, Reason
from flags.context import RequestFacts
from flags.definitions import Constraint, State, constrained, rolled_out, switched, with_model_flags
from flags.embedded import EmbeddedFlags, EmbeddedSource
from flags.errors import FlagsChanged, InvalidFlags, ReasonMissing
from flags.memory import MemoryFlagStore
from flags.names import of_model
from flags.slicing import SLICE
from flags.source import FlagSource
from flags.store import NO_FLAGS, Authorship, FlagStore, StoredState

FLAG = "m.automated"
ADA = Authorship(by="ada", why="the first week went well", at_us=1)
FACTS = RequestFacts(model="m", tenant="t", caller="k", sticky_key="d", now_us=1_000_000)


@pytest.fixture
def store() -> MemoryFlagStore:
    """An empty store."""
    return MemoryFlagStore()


@pytest.fixture
async def flags(store: FlagStore) -> EmbeddedFlags:
    """Embedded flags with those of model `m`, all off."""
    flags = EmbeddedFlags(store)
    await add_model(flags, "m")
    return flags


async def add_model(flags: EmbeddedFlags, model: str) -> None:
    """Create the model's three flags."""
    await flags.change(lambda state: with_model_flags(state, model), of_model(model).all(), ADA)


def on(state: State) -> State:
    """The flag on."""
    return switched(state, FLAG, on=True)


def off(state: State) -> State:
    """The flag off."""
    return switched(state, FLAG, on=False)


async def test_a_change_reaches_the_answer(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A flag that is switched on is on in the views made after the next refresh, under the new state's digest."""
    source: FlagSource = (followed := EmbeddedSource(store))
    await followed.refresh(now_us=5)
    before = source.view(FACTS)
    changed = await flags.change(on, (FLAG,), ADA)
    assert source.view(FACTS) == before
    assert await followed.refresh(now_us=6)
    after = source.view(FACTS)
    assert (before.automated.enabled, after.automated.enabled) == (False, True)
    assert after.state == source.state == changed.digest != before.state


async def test_nothing_loaded_is_the_safe_side(store: FlagStore) -> None:
    """Before the first refresh all three flags are off, for the reason that nothing was loaded."""
    source = EmbeddedSource(store)
    view = source.view(FACTS)
    assert view == NOTHING_LOADED
    assert (view.automated.enabled, view.automated.reason) == (False, Reason.NOT_LOADED)
    assert (source.state, source.age_s(now_us=1)) == (None, math.inf)


async def test_an_unknown_model_is_the_safe_side(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A model without flags has all three off, for the reason that they are unknown."""
    source = EmbeddedSource(store)
    await source.refresh(now_us=5)
    assert source.view(msgspec.structs.replace(FACTS, model="other")).automated.reason is Reason.UNKNOWN


async def test_a_context_that_cannot_be_encoded_is_the_safe_side(store: FlagStore, flags: EmbeddedFlags) -> None:
    """Whatever fails while a view is made, the view says that it failed, all off, and nothing is raised."""
    await flags.change(lambda state: on(rolled_out(state, FLAG, 50)), (FLAG,), ADA)
    source = EmbeddedSource(store)
    await source.refresh(now_us=5)
    torn = msgspec.structs.replace(FACTS, user_id="\ud800")
    view = source.view(torn)
    assert (view.automated.enabled, view.automated.reason) == (False, Reason.FAILED)
    assert view.state == source.state
    assert source.health(now_us=5).error == "UnicodeEncodeError"


async def test_an_equal_state_keeps_the_engine(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A refresh that finds nothing new says so and renews the age."""
    source = EmbeddedSource(store)
    assert await source.refresh(now_us=1_000_000)
    assert source.age_s(now_us=4_000_000) == 3.0
    assert not await source.refresh(now_us=3_000_000)
    assert source.age_s(now_us=4_000_000) == 1.0


async def test_a_state_is_swapped_whole(store: FlagStore, flags: EmbeddedFlags) -> None:
    """While many flags are loaded the loop goes round and requests are answered, by the old state until the new one."""
    source = EmbeddedSource(store)
    await source.refresh(now_us=5)
    models = [f"m{number}" for number in range(50)]
    await flags.change(lambda state: on(reduce(with_model_flags, models, state)), (FLAG,), ADA)
    refreshing, seen = asyncio.create_task(source.refresh(now_us=6)), []
    while not refreshing.done():
        seen.append(source.view(FACTS))
        await asyncio.sleep(0)
    seen.append(source.view(FACTS))
    turns = [view.automated.enabled for view in seen]
    assert turns == sorted(turns)
    assert (turns[0], turns[-1], len({(view.state, view.automated.enabled) for view in seen})) == (False, True, 2)
    assert turns.count(False) > len(models) * 3 / SLICE


async def test_what_is_kept_is_counted(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A source says how many answers it keeps, none before a state was loaded and none of the state before."""
    source = EmbeddedSource(store)
    assert source.kept == 0
    await source.refresh(now_us=5)
    source.view(FACTS)
    assert source.kept == len(of_model("m").all())
    await flags.change(on, (FLAG,), ADA)
    await source.refresh(now_us=6)
    assert source.kept == 0


async def test_a_lost_store_leaves_the_last_state(store: MemoryFlagStore, flags: EmbeddedFlags) -> None:
    """While the store is away the last state answers, its age grows, and health says what failed."""

    class Away(MemoryFlagStore):
        away = False

        async def current(self) -> StoredState:
            if self.away:
                raise ConnectionRefusedError
            return await store.current()

    lost = Away()
    source = EmbeddedSource(lost)
    await source.refresh(now_us=0)
    lost.away = True
    with pytest.raises(ConnectionRefusedError):
        await source.refresh(now_us=2_000_000)
    health = source.health(now_us=3_000_000)
    assert (health.loaded, health.age_s, health.error) == (True, 3.0, "ConnectionRefusedError")
    assert source.view(FACTS).loaded
    lost.away = False
    await source.refresh(now_us=4_000_000)
    assert source.health(now_us=4_000_000).error is None


async def test_a_snapshot_answers_before_the_store_does(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A source that adopts a kept state answers with it, and is as old as it is."""
    source = EmbeddedSource(MemoryFlagStore())
    kept = await store.current()
    await source.adopt(kept, known_us=1_000_000)
    assert (source.state, source.age_s(now_us=11_000_000)) == (kept.digest, 10.0)


async def test_an_edit_is_made_to_what_is_in_force(store: FlagStore, flags: EmbeddedFlags) -> None:
    """Changes of different flags made at the same time are all made, each to the state that the others left."""
    models = [f"m{number}" for number in range(4)]
    await asyncio.gather(*(add_model(flags, model) for model in models))
    known = {feature.name for feature in (await flags.state()).features}
    assert known >= {name for model in models for name in of_model(model).all()}
    assert (await store.current()).version == 5


async def test_a_form_that_is_out_of_date_is_refused(flags: EmbeddedFlags) -> None:
    """A change that expects a version which is no longer in force is refused, although it would apply."""
    seen = (await flags.current()).version
    await flags.change(lambda state: rolled_out(state, FLAG, 10), (FLAG,), ADA)
    with pytest.raises(FlagsChanged, match="version 2 is in force, not 1"):
        await flags.change(on, (FLAG,), ADA, expected_version=seen)


async def test_a_change_that_changes_nothing_is_not_recorded(flags: EmbeddedFlags) -> None:
    """Switching off what is off writes nothing and gives the state in force."""
    assert await flags.change(off, (FLAG,), ADA) == await flags.current()
    assert len(await flags.history(FLAG)) == 1


async def test_a_change_that_would_mislead_is_refused(flags: EmbeddedFlags) -> None:
    """A state that the engine would not read as it is written is refused and not stored."""
    before = await flags.current()
    with pytest.raises(InvalidFlags, match="expected a whole number from 0 to 100"):
        await flags.change(lambda state: rolled_out(state, FLAG, 101), (FLAG,), ADA)
    assert await flags.current() == before


@pytest.mark.parametrize(("changes", "missing"), [({"why": " "}, "why"), ({"by": "", "why": ""}, "by and why")])
async def test_a_change_needs_author_and_reason(flags: EmbeddedFlags, changes: dict[str, str], missing: str) -> None:
    """Nobody changes a flag without a name and a reason."""
    with pytest.raises(ReasonMissing, match=f"{missing} is missing"):
        await flags.change(on, (FLAG,), msgspec.structs.replace(ADA, **changes))


async def test_any_recorded_state_can_be_read_again(flags: EmbeddedFlags) -> None:
    """From the record of a change the definitions before and after it can be read."""
    await flags.change(on, (FLAG,), ADA)
    latest, first = await flags.history(FLAG)
    assert (await flags.state_at(latest.before)).feature(FLAG).enabled is False
    assert (await flags.state_at(latest.after)).feature(FLAG).enabled is True
    assert first.before == NO_FLAGS.digest


async def test_constraints_decide_by_context(store: FlagStore, flags: EmbeddedFlags) -> None:
    """A constraint on a caller's property lets those through who have it, and holds the others."""
    gold = Constraint(context_name="plan", operator="IN", values=("gold",))
    await flags.change(lambda state: on(constrained(state, FLAG, (gold,))), (FLAG,), ADA)
    source = EmbeddedSource(store)
    await source.refresh(now_us=5)
    plans = {plan: msgspec.structs.replace(FACTS, properties={"plan": plan}) for plan in ("gold", "free")}
    enabled = {plan: source.view(facts).automated.enabled for plan, facts in plans.items()}
    assert enabled == {"gold": True, "free": False}
