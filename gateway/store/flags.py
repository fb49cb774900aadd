"""The SQL of flags: the ledger as a `flags.store.FlagStore`.

What is in force is that of the session's source: embedded flags, which are changed here, or those of an Unleash server,
of which `gateway.store.fetched_flags` keeps what gateways fetched.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update

from flags.definitions import digest_of
from flags.errors import FlagsChanged, FlagsElsewhere, UnknownFlagState
from flags.source import EMBEDDED
from flags.store import NO_FLAGS, Authorship, FlagChange, Proposal, StoredState
from gateway.ids import new_id
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.once import insert_once
from gateway.store.plans import bump_plan
from gateway.store.schema.flags import FlagChangeRow, FlagCurrentRow, FlagStateRow


class LedgerFlagStore:
    """Embedded flags in the ledger: a change is a compare-and-swap on the version, with one event a flag."""

    def __init__(self, ledger: Ledger, tenant_id: UUID) -> None:
        self._ledger = ledger
        self._tenant_id = tenant_id

    async def current(self) -> StoredState:
        """The state in force; `NO_FLAGS` before the first change."""
        async with self._ledger.reading() as r:
            return await current_state(r)

    async def body(self, digest: str) -> bytes:
        """The canonical body of a state that was ever in force. Raises: UnknownFlagState."""
        if digest == NO_FLAGS.digest:
            return NO_FLAGS.body
        async with self._ledger.reading() as r:
            body = (
                await r.execute(select(FlagStateRow.body).where(FlagStateRow.sha256 == digest))
            ).scalar_one_or_none()
        if body is None:
            raise UnknownFlagState(digest=digest)
        return body.encode()

    async def history(self, flag: str | None = None, *, limit: int = 100) -> tuple[FlagChange, ...]:
        """The latest changes of a flag, or of all, the latest first, wherever flags were kept at the time."""
        statement = select(FlagChangeRow)
        if flag is not None:
            statement = statement.where(FlagChangeRow.flag == flag)
        order = (FlagChangeRow.changed_us.desc(), FlagChangeRow.version.desc(), FlagChangeRow.id.desc())
        latest = statement.order_by(*order).limit(limit)
        async with self._ledger.reading() as r:
            return tuple(_change(row) for row in (await r.execute(latest)).scalars())

    async def change(self, proposal: Proposal) -> StoredState:
        """Put a state in force. Raises: FlagsElsewhere; FlagsChanged, unless the expected version is in force.

        Nothing is written then.
        """
        async with self._ledger.writing() as w:
            return await change_flags(w, self._tenant_id, proposal)


async def current_state(r: ReadSession) -> StoredState:
    """The state in force; `NO_FLAGS` before the first change, or the first that was fetched."""
    statement = (
        select(FlagCurrentRow.version, FlagStateRow.sha256, FlagStateRow.body)
        .join(FlagStateRow, FlagStateRow.sha256 == FlagCurrentRow.state)
        .where(FlagCurrentRow.source == r.flags.source)
    )
    row = (await r.execute(statement)).one_or_none()
    return StoredState(version=row.version, digest=row.sha256, body=row.body.encode()) if row else NO_FLAGS


def require_embedded(r: ReadSession) -> None:
    """Return if flags are changed here. Raises: FlagsElsewhere."""
    if not r.flags.embedded:
        raise FlagsElsewhere(url=r.flags.url)


async def states_at(r: ReadSession, digests: Collection[str]) -> dict[str, bytes]:
    """The canonical bodies of states that were ever in force, by digest; one that never was is left out."""
    statement = select(FlagStateRow.sha256, FlagStateRow.body).where(FlagStateRow.sha256.in_(digests))
    return {row.sha256: row.body.encode() for row in await r.execute(statement)}


async def change_flags(w: WriteSession, tenant_id: UUID, proposal: Proposal) -> StoredState:
    """Put a state in force within the running transaction. Raises: FlagsElsewhere, FlagsChanged."""
    require_embedded(w)
    before = await current_state(w)
    if before.version != proposal.expected_version:
        raise FlagsChanged(current=before.version, expected=proposal.expected_version)
    after = StoredState(version=before.version + 1, digest=digest_of(proposal.body), body=proposal.body)
    for state in (before, after):
        await keep_state(w, EMBEDDED, state, proposal.authorship.at_us)
    await _swap(w, before, after)
    for flag in proposal.flags:
        await _record(w, tenant_id, flag, before, after, proposal.authorship)
    await bump_plan(w, tenant_id)
    return after


async def keep_state(w: WriteSession, source: str, state: StoredState, at_us: int) -> None:
    """Keep a state under its digest, for ever; one that is there already stays as it is."""
    named = {"source": source, "revision": str(state.version), "body": state.body.decode()}
    await insert_once(w, FlagStateRow, sha256=state.digest, first_seen_us=at_us, **named)


async def _swap(w: WriteSession, before: StoredState, after: StoredState) -> None:
    if before.version == 0:
        swapped = await insert_once(w, FlagCurrentRow, source=EMBEDDED, state=after.digest, version=after.version)
    else:
        in_force = (FlagCurrentRow.source == EMBEDDED) & (FlagCurrentRow.version == before.version)
        statement = update(FlagCurrentRow).where(in_force).values(state=after.digest, version=after.version)
        swapped = (await w.execute(statement)).rowcount == 1  # type: ignore[attr-defined]
    if not swapped:
        raise FlagsChanged(current=(await current_state(w)).version, expected=before.version)


async def _record(
    w: WriteSession, tenant_id: UUID, flag: str, before: StoredState, after: StoredState, author: Authorship
) -> None:
    change = FlagChange(flag=flag, version=after.version, before=before.digest, after=after.digest, authorship=author)
    await record_change(w, (tenant_id,), EMBEDDED, new_id(), change)


async def record_change(
    w: WriteSession, tenant_ids: Collection[UUID], source: str, change_id: UUID, change: FlagChange
) -> bool:
    """Record a change of a flag and tell it to each of these tenants; False where it is recorded already."""
    said = change.authorship
    inserted = await insert_once(
        w,
        FlagChangeRow,
        id=change_id,
        source=source,
        version=change.version,
        before=change.before,
        after=change.after,
        flag=change.flag,
        by=said.by,
        why=said.why,
        second_person=said.second_person,
        simulation=said.simulation,
        changed_us=said.at_us,
    )
    data = {"flag": change.flag, "version": change.version, "before": change.before, "after": change.after}
    more = {"simulation": said.simulation, "second_person": said.second_person}
    data |= {name: value for name, value in more.items() if value is not None}
    for tenant_id in tenant_ids if inserted else ():
        await append_event(
            w, "flag.changed", f"flag:{change.flag}", data | {"why": said.why},
            by=said.by, tenant_id=tenant_id, at_us=said.at_us,
        )  # fmt: skip
    return inserted


async def recorded_changes(r: ReadSession, change_ids: Collection[UUID]) -> set[UUID]:
    """Those of the changes that are recorded."""
    return set((await r.execute(select(FlagChangeRow.id).where(FlagChangeRow.id.in_(change_ids)))).scalars())


def _change(row: FlagChangeRow) -> FlagChange:
    return FlagChange(
        flag=row.flag,
        version=row.version,
        before=row.before or NO_FLAGS.digest,
        after=row.after,
        authorship=Authorship(
            by=row.by, why=row.why, at_us=row.changed_us, second_person=row.second_person, simulation=row.simulation
        ),
    )
