"""How every flag store behaves. A subclass gives the fixture `flag_store`, an empty store, and inherits the tests."""

import asyncio

import pytest
from msgspec.structs import replace

from flags.definitions import State, body_of, digest_of, switched, with_model_flags
from flags.errors import FlagsChanged, UnknownFlagState
from flags.store import NO_FLAGS, Authorship, FlagStore, Proposal

ALL_OFF = with_model_flags(State(), "sentiment")
AUTOMATED = "sentiment.automated"
ADA = Authorship(by="ada", why="the model was added", at_us=1_000)


def proposal(state: State, expected_version: int, *flags: str, authorship: Authorship = ADA) -> Proposal:
    """A proposal to put the state in force."""
    return Proposal(
        expected_version=expected_version, body=body_of(state), flags=flags or (AUTOMATED,), authorship=authorship
    )


class FlagStoreSuite:
    """The tests that a store in memory and one in a ledger pass alike."""

    async def test_an_empty_store_has_no_flags(self, flag_store: FlagStore) -> None:
        """Before the first change no flag is in force, and that state has a digest and a body too."""
        assert await flag_store.current() == NO_FLAGS
        assert await flag_store.body(NO_FLAGS.digest) == NO_FLAGS.body
        assert await flag_store.history() == ()

    async def test_a_change_puts_its_state_in_force(self, flag_store: FlagStore) -> None:
        """After a change its state is in force under the next version and the digest of its body."""
        changed = await flag_store.change(proposal(ALL_OFF, 0))
        assert changed == await flag_store.current()
        assert (changed.version, changed.body) == (1, body_of(ALL_OFF))
        assert changed.digest == digest_of(body_of(ALL_OFF))

    async def test_a_change_of_an_older_version_is_refused(self, flag_store: FlagStore) -> None:
        """A change made to a version that is no longer in force is refused and leaves no trace."""
        await flag_store.change(proposal(ALL_OFF, 0))
        late = switched(ALL_OFF, AUTOMATED, on=True)
        with pytest.raises(FlagsChanged):
            await flag_store.change(proposal(late, 0))
        assert (await flag_store.current()).body == body_of(ALL_OFF)
        assert len(await flag_store.history()) == 1
        with pytest.raises(UnknownFlagState):
            await flag_store.body(digest_of(body_of(late)))

    async def test_of_two_changes_at_once_one_wins(self, flag_store: FlagStore) -> None:
        """Of several changes made to the same version at the same time exactly one is made."""
        proposals = [proposal(with_model_flags(State(), name), 0) for name in ("a", "b", "c", "d")]
        results = await asyncio.gather(*map(flag_store.change, proposals), return_exceptions=True)
        assert sum(isinstance(result, FlagsChanged) for result in results) == len(proposals) - 1
        assert (await flag_store.current()).version == 1
        assert len(await flag_store.history()) == 1

    async def test_every_state_is_kept(self, flag_store: FlagStore) -> None:
        """Every state that was ever in force can be read by its digest, also after it came back."""
        on = switched(ALL_OFF, AUTOMATED, on=True)
        for version, state in enumerate((ALL_OFF, on, ALL_OFF)):
            await flag_store.change(proposal(state, version))
        for state in (State(), ALL_OFF, on):
            assert await flag_store.body(digest_of(body_of(state))) == body_of(state)
        assert (await flag_store.current()).version == 3

    async def test_an_unknown_digest_is_refused(self, flag_store: FlagStore) -> None:
        """A digest that was never in force is unknown."""
        with pytest.raises(UnknownFlagState):
            await flag_store.body("0" * 64)

    async def test_a_change_says_who_why_before_and_after(self, flag_store: FlagStore) -> None:
        """The record of a change has its author, reason, time, companions and the digests on both sides."""
        authorship = replace(ADA, second_person="grace", simulation="0199")
        await flag_store.change(proposal(ALL_OFF, 0, authorship=authorship))
        (change,) = await flag_store.history()
        assert (change.flag, change.version, change.authorship) == (AUTOMATED, 1, authorship)
        assert (change.before, change.after) == (NO_FLAGS.digest, digest_of(body_of(ALL_OFF)))

    async def test_history_is_told_latest_first_and_by_flag(self, flag_store: FlagStore) -> None:
        """A change of several flags has a record for each; history is told from the latest on, up to the limit."""
        await flag_store.change(proposal(ALL_OFF, 0, AUTOMATED, "sentiment.shadow"))
        await flag_store.change(proposal(switched(ALL_OFF, AUTOMATED, on=True), 1, AUTOMATED))
        assert [change.version for change in await flag_store.history(AUTOMATED)] == [2, 1]
        assert [change.version for change in await flag_store.history("sentiment.shadow")] == [1]
        assert [change.version for change in await flag_store.history(limit=1)] == [2]
        assert len(await flag_store.history()) == 3
