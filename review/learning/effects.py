"""Measures champion and candidate on each settled answer as soon as it is settled: only what changed is run.

Events are followed by position. What comes of one is committed together with the position, so a worker that is killed
does it again or has done it; doing it twice makes the same row. An item whose truth is undone loses its row, and so its
part in every count. Disagreements are left out: they were chosen because the two releases differ, and their trial
counts them.
"""

from collections import Counter
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from gateway.holding.ranking import truth_among
from gateway.holding.seen import OutcomeSeen
from gateway.labels import Answer
from gateway.plan import ReleasePlan
from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.store.events import Event, any_unread, events_after
from gateway.store.leases import move_cursor, read_cursor
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.outcomes import outcomes_seen
from gateway.store.serving import release_plan
from review.learning.answering import Question
from review.learning.asking import Answering, answering
from review.store.effects import (
    Effect,
    Subject,
    drop_effect,
    items_of_cases,
    keep_effect,
    read_subject,
    releases_beside,
)

CONSUMER = "effects"
TELLING = frozenset({"case.settled", "case.undone", "outcome.recorded"})
"""The events after which something else may be true of an item."""
SOON = "case.claimed"
"""The event after which something is about to be settled: the child process is started meanwhile."""
BATCH = 200
PASSED_MAX = 1000
"""So many events that tell nothing are passed before the position is committed."""
WARM_S = 60.0
"""For so long the releases stay open after they were last asked, or a case was claimed."""
FAULTS_MAX = 3
"""After so many faults a release is not run again by this worker."""

log = structlog.get_logger()
Pair = tuple[ReleasePlan, ReleasePlan | None]
Item = tuple[UUID, int]


class Effects:
    """Follows what is settled, and runs the releases on it."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, artifacts: Path) -> None:
        self._ledger, self._objects, self._artifacts = ledger, objects, artifacts
        self._passed = 0
        self._faults: Counter[UUID] = Counter()

    async def run(self) -> int:
        """Measure the releases on everything that was settled, and go on while they are open; how many items."""
        total = 0
        with self._ledger.bell.listen() as bell:
            async with answering() as asked:
                while True:
                    total += await self.catch_up(asked)
                    if asked.idle_s >= WARM_S:
                        return total
                    await bell.wait(WARM_S)

    async def catch_up(self, asked: Answering) -> int:
        """Measure the releases on what was settled until now; how many items that were."""
        total = 0
        while await any_unread(self._ledger, CONSUMER, self._passed):
            async with self._ledger.reading() as r:
                committed = await read_cursor(r, CONSUMER)
                events = await events_after(r, max(committed, self._passed), BATCH)
                items = await _items(r, [event for event in events if event.type in TELLING])
            if not events:
                break
            if any(event.type == SOON for event in events):
                await asked.begin()
            for position, item in items:
                await self._keep(asked, item, position)
                total += 1
            await self._pass(committed if not items else items[-1][0], events[-1].position or 0)
        return total

    async def _pass(self, committed: int, position: int) -> None:
        """Note how far was looked; committing it rings the bell, so that is done once in a while."""
        self._passed = position
        if position - committed >= PASSED_MAX:
            async with self._ledger.writing() as w:
                await move_cursor(w, CONSUMER, position)

    async def _keep(self, asked: Answering, item: Item, position: int) -> None:
        effect = await self._measure(asked, item)
        async with self._ledger.writing() as w:
            if effect is None:
                await drop_effect(w, *item)
            else:
                await keep_effect(w, effect)
            await move_cursor(w, CONSUMER, position)
        self._passed = position

    async def _measure(self, asked: Answering, item: Item) -> Effect | None:
        """What the item's truth says about the releases; none where it says nothing."""
        async with self._ledger.reading() as r:
            truth = await _truth(r, item)
            if truth is None:
                return None
            subject = await read_subject(r, *item, truth.revision)
            releases = await _releases(r, subject)
            now_us = await r.now_us()
        payload = await self._payload(subject.payload)
        if subject.kind == "disagreement" or releases is None or payload is None or truth.answer is None:
            return None
        champion, candidate = releases
        labels = champion.card.labels
        said = [await self._say(asked, each, subject, payload, item[1]) for each in (champion, candidate)]
        answers = [None if each is None else each[0] for each in said]
        right = [None if each is None else not labels.differs(each[0], truth.answer) for each in said]
        return Effect(
            prediction_id=item[0], item=item[1], outcome_revision=truth.revision, model_id=subject.model_id,
            corrected=bool(truth.differs), settled_us=subject.settled_us, champion_id=champion.id,
            champion_answer=answers[0], champion_right=right[0], candidate_id=candidate.id if candidate else None,
            candidate_answer=answers[1], candidate_right=right[1], measured_us=now_us,
        )  # fmt: skip

    async def _say(
        self, asked: Answering, release: ReleasePlan | None, subject: Subject, payload: bytes, item: int
    ) -> tuple[Answer | None] | None:
        """What a release says of the item; none where that cannot be known."""
        if release is None or self._faults[release.id] >= FAULTS_MAX:
            return None
        if not release.artifact:  # an upstream is not asked again; what it said is known where it was its own answer
            own = subject.release_id == release.id and subject.kind is not None and subject.rule != "precedent"
            return (subject.said,) if own else None
        question = Question(
            artifacts=str(self._artifacts), artifact=release.artifact, card=release.card, payload=payload, item=item,
            items=subject.items,
        )  # fmt: skip
        reply = await asked.ask(question)
        if reply.fault:
            self._faults[release.id] += 1
            log.warning("release_not_run", release=release.name, why=reply.fault)
            return None
        return (reply.answer,)

    async def _payload(self, sha256: str | None) -> bytes | None:
        if sha256 is None:
            return None
        try:
            return await self._objects.get(sha256)
        except (UnknownObject, DamagedObject):
            return None


async def _items(r: ReadSession, events: list[Event]) -> list[tuple[int, Item]]:
    """The items that these events are about, each with the position of its event."""
    subjects = {event.id: UUID(event.subject.partition(":")[2]) for event in events}
    of_cases = [subjects[event.id] for event in events if event.subject.startswith("case:")]
    cases = await items_of_cases(r, of_cases)
    found = []
    for event in events:
        about = subjects[event.id]
        item = cases.get(about) if event.subject.startswith("case:") else (about, _item(event))
        if item is not None:
            found.append((event.position or 0, item))
    return found


class _About(msgspec.Struct, frozen=True, kw_only=True):
    item: int


def _item(event: Event) -> int:
    """The item that an event about a prediction names."""
    return msgspec.json.decode(event.data, type=_About).item


async def _truth(r: ReadSession, item: Item) -> OutcomeSeen | None:
    """What is true of the item, as a dataset would have it; none where it was undone."""
    seen = (await outcomes_seen(r, [item[0]])).get(item[0], ())
    return truth_among(one for one in seen if one.item == item[1] and not one.undone)


async def _releases(r: ReadSession, subject: Subject) -> Pair | None:
    """The champion, and what is compared with it."""
    found = await releases_beside(r, subject.model_id)
    if found is None:
        return None
    champion = await release_plan(r, subject.model, found[0])
    return champion, None if found[1] is None else await release_plan(r, subject.model, found[1])
