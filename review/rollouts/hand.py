"""The hand that turns a flag for a rollout: a small port, so that a step is the same wherever flags are defined."""

import asyncio
from typing import Protocol
from uuid import UUID

import msgspec

from flags.definitions import Feature, State, digest_of, rolled_out, state_from, switched
from flags.embedded import Edit
from flags.store import Authorship, Proposal
from flags.validation import validated
from gateway.store.flags import change_flags, current_state, require_embedded
from gateway.store.ledger import ReadSession, WriteSession


class FlagHand(Protocol):
    """Reads a flag's definition, and puts another in force."""

    async def definition(self, r: ReadSession, flag: str) -> Feature:
        """The flag as it is defined now. Raises: FlagsError (it is not there, or of a form that is not known here)."""
        ...

    async def turn(self, w: WriteSession, tenant_id: UUID, flag: str, edit: Edit, authorship: Authorship) -> Feature:
        """Put the edited definition in force with who and why; the flag as it is then. Raises: FlagsError."""
        ...


class EmbeddedHand:
    """Turns embedded flags: the change of the flag commits with what it is a step of, or not at all."""

    async def definition(self, r: ReadSession, flag: str) -> Feature:
        """The flag as it is defined now. Raises: FlagsError."""
        return state_from((await current_state(r)).body).feature(flag)

    async def turn(self, w: WriteSession, tenant_id: UUID, flag: str, edit: Edit, authorship: Authorship) -> Feature:
        """Put the edited definition in force with who and why. Raises: FlagsError, such as FlagsElsewhere."""
        require_embedded(w)
        before = await current_state(w)
        body = await asyncio.to_thread(_edited, before.body, edit)
        if body != before.body:
            proposal = Proposal(expected_version=before.version, body=body, flags=(flag,), authorship=authorship)
            await change_flags(w, tenant_id, proposal)
        return state_from(body).feature(flag)


def step_to(flag: str, percent: int) -> Edit:
    """The edit of a step: on for this share of whom its constraints let in, by the stickiness it has. Pure."""

    def edit(state: State) -> State:
        strategies = state.feature(flag).strategies
        given = (strategies[0].parameters or {}) if strategies else {}
        stickiness = given.get("stickiness") or "default"
        return switched(rolled_out(state, flag, percent, stickiness=stickiness), flag, on=True)

    return edit


def off(flag: str) -> Edit:
    """The edit of an abort: off, which is the safe side of every flag; its strategies stay. Pure."""
    return lambda state: switched(state, flag, on=False)


def mark_of(feature: Feature) -> str:
    """A digest of what decides whom a flag is on for; descriptions and times are no part of it. Pure."""
    deciding = (feature.enabled, feature.strategies, feature.variants, feature.dependencies)
    return digest_of(msgspec.json.encode(deciding, order="sorted"))


def _edited(body: bytes, edit: Edit) -> bytes:
    return validated(edit(state_from(body)))
