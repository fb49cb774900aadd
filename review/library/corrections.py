"""The library of corrections: what was shown, what the model said, what people or a source said, who, when and why.

Filters are SQL. A text is looked for in what people saw, in rationales and in prediction ids, which only reading them
can do: one look goes through `LOOK_MAX` outcomes at most and says where to go on. So a search is never slow, and what
an erasure takes away is found no more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

import msgspec

from gateway.answers import scores_of
from gateway.errors import BadRequest
from gateway.holding.payload import Answered, InputPayload, decode_answered, decode_input
from gateway.holding.ranking import truth_among
from gateway.labels import Answer
from gateway.plan import ReleasePlan
from gateway.record.errors import DamagedObject, ObjectsUnavailable, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.outcomes import outcomes_seen
from gateway.store.schema.work import CaseKind, OutcomeStatus, VerdictKind
from gateway.store.serving import release_plan
from review.console.shown import ShownInput, shown_inputs
from review.store.corrections import Judged, Place, Settled, Sight, Wanted, settled_outcomes, verdicts_on

PAGE_MAX = 200
LOOK_MAX = 2_000
"""How many outcomes one search looks at before it says where to go on."""
STEP = 500
"""How many outcomes are read together where many are."""


class PlaceUnknown(BadRequest):
    """'{after}' is no place in the library: send the 'next' of the page before."""

    code = "place-unknown"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said who judged."""

    person: str | None
    """The name; None for somebody who may not see it."""
    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    adjudicated: bool
    """Whether a lead said it on a case that reviewers could not settle."""
    created_us: int


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A settled outcome with everything that explains it."""

    prediction_id: UUID
    item: int
    revision: int
    model: str
    release: str
    """Such as `sentiment@7`."""
    kind: CaseKind | None
    """The kind of case; None for a ground truth, which had none."""
    queue: str | None
    source: str
    status: OutcomeStatus
    answer: Answer | None
    model_answer: Answer | None
    confidence: float | None
    differs: bool | None
    """Whether it differs from the model's answer."""
    is_truth: bool
    """Whether it is the highest-ranked outcome of its item."""
    said: tuple[Said, ...]
    shown: tuple[ShownInput, ...]
    request_id: str | None
    decided_us: int
    created_us: int


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the library; `next` is the `after` of the following one, None at the end."""

    corrections: tuple[Correction, ...]
    next: str | None
    looked_at: int
    """How many outcomes were looked at for it: with a text to look for, more than were found."""


class Library:
    """The library as one person or key may see it."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, sight: Sight) -> None:
        self._ledger = ledger
        self._objects = objects
        self._sight = sight
        self._releases: dict[UUID, ReleasePlan] = {}

    async def page(self, wanted: Wanted, *, text: str = "", after: str | None = None, limit: int = 50) -> Corrections:
        """The newest corrections behind `after`. Raises: PlaceUnknown, LedgerUnavailable."""
        place, found, looked_at = place_of(after), list[Correction](), 0
        step = STEP if text or wanted.model_answer is not None else limit
        while len(found) < limit and looked_at < LOOK_MAX:
            settled, read = await self._read(wanted, place, step)
            for row, correction in zip(settled, read, strict=True):
                looked_at, place = looked_at + 1, row.place
                if fits(correction, wanted, text):
                    found.append(correction)
                if len(found) == limit:
                    break
            if len(found) < limit and len(settled) < step:
                return Corrections(corrections=tuple(found), next=None, looked_at=looked_at)
        return Corrections(corrections=tuple(found), next=written(place), looked_at=looked_at)

    async def each(self, wanted: Wanted, text: str = "") -> AsyncIterator[Correction]:
        """Every correction that is wanted and is there now, the newest first, read page by page.

        Raises: LedgerUnavailable.
        """
        async with self._ledger.reading() as r:
            now_us = await r.now_us()
        until_us = now_us + 1 if wanted.until_us is None else min(wanted.until_us, now_us + 1)
        wanted, more = msgspec.structs.replace(wanted, until_us=until_us), True
        after: str | None = None
        while more:
            page = await self.page(wanted, text=text, after=after, limit=STEP)
            for correction in page.corrections:
                yield correction
            after = page.next
            more = after is not None

    async def _read(self, wanted: Wanted, place: Place | None, limit: int) -> tuple[list[Settled], list[Correction]]:
        async with self._ledger.reading() as r:
            settled = await settled_outcomes(r, self._sight, wanted, after=place, limit=limit)
            verdicts = await verdicts_on(r, [row.case_id for row in settled if row.case_id is not None])
            truths = await _truths(r, settled)
            for row in settled:
                if row.release_id not in self._releases:
                    self._releases[row.release_id] = await release_plan(r, row.model, row.release_id)
        read = [await self._correction(row, verdicts, truths) for row in settled]
        return settled, read

    async def _correction(self, row: Settled, verdicts: Sequence[Judged], truths: set[Place]) -> Correction:
        release = self._releases[row.release_id]
        payload = await self._input(row.input_sha256)
        shown = await asyncio.to_thread(shown_inputs, release.card, payload, row.place.item, row.items)
        model_answer, confidence = await self._model_said(row, release)
        round_ = [one for one in verdicts if (one.case_id, one.round) == (row.case_id, row.round)]
        return Correction(
            prediction_id=row.place.prediction_id,
            item=row.place.item,
            revision=row.place.revision,
            model=row.model,
            release=f"{row.model}@{row.release_number}",
            kind=row.kind,
            queue=row.queue,
            source=row.source,
            status=row.status,
            answer=row.answer,
            model_answer=model_answer,
            confidence=confidence,
            differs=row.differs,
            is_truth=row.place in truths,
            said=tuple(self._said(one, row.model_id) for one in round_),
            shown=shown,
            request_id=row.request_id,
            decided_us=row.decided_us,
            created_us=row.place.created_us,
        )

    def _said(self, judged: Judged, model_id: UUID) -> Said:
        """A verdict, with the name where it may be seen: by who inspects the model, and one's own."""
        sight = self._sight
        named = sight.everything or model_id in sight.models or judged.person_id == sight.person_id
        values = {name: getattr(judged, name) for name in Said.__struct_fields__}
        return Said(**values | {"person": judged.person if named else None})

    async def _model_said(self, row: Settled, release: ReleasePlan) -> tuple[Answer | None, float | None]:
        """The model's answer with its confidence: the case's, else those of what was kept of its outputs."""
        if row.case_id is not None and row.score is not None:
            return row.case_answer, row.score
        said = await self._output(row.output_sha256)
        if said is None:
            return row.case_answer, row.score
        scores = await asyncio.to_thread(scores_of, release.card, said.outputs, list(said.answers))
        return said.answers[row.place.item - 1], scores[row.place.item - 1]

    async def _input(self, sha256: str | None) -> InputPayload | None:
        try:
            return decode_input(await self._objects.get(sha256)) if sha256 is not None else None
        except _NOT_KEPT:
            return None

    async def _output(self, sha256: str | None) -> Answered | None:
        try:
            return decode_answered(await self._objects.get(sha256)) if sha256 is not None else None
        except _NOT_KEPT:
            return None


_NOT_KEPT = (UnknownObject, DamagedObject, ObjectsUnavailable, msgspec.MsgspecError)


async def _truths(r: ReadSession, settled: Sequence[Settled]) -> set[Place]:
    """Those of the outcomes that are true of their items."""
    seen = await outcomes_seen(r, {row.place.prediction_id for row in settled})
    found: set[tuple[UUID, int, int]] = set()
    for row in settled:
        mine = [one for one in seen[row.place.prediction_id] if one.item == row.place.item and not one.never_released]
        if (truth := truth_among(mine)) is not None:
            found.add((row.place.prediction_id, row.place.item, truth.revision))
    return {row.place for row in settled if msgspec.structs.astuple(row.place)[1:] in found}


def fits(correction: Correction, wanted: Wanted, text: str) -> bool:
    """Whether what only reading can tell is as wanted: the model's answer, and the text that is looked for."""
    if wanted.model_answer is not None and not _says(correction.model_answer, wanted.model_answer):
        return False
    return not text or matches(correction, text)


def _says(answer: Answer | None, wanted: str) -> bool:
    """Whether an answer is the one that somebody wrote."""
    if isinstance(answer, str) or answer is None:
        return answer == wanted
    try:
        return answer == float(wanted)
    except ValueError:
        return False


def matches(correction: Correction, text: str) -> bool:
    """Whether the text stands in what was shown, in a rationale or in the prediction's id, whatever its case."""
    sought = text.casefold()
    return any(sought in one.casefold() for one in _texts(correction))


def _texts(correction: Correction) -> Iterable[str]:
    yield str(correction.prediction_id)
    yield from (said.rationale for said in correction.said if said.rationale)
    yield from (shown_text(one) for one in correction.shown if one.kind != "missing")


def shown_text(shown: ShownInput) -> str:
    """An input as plain text: a table as `title: value` of one row, or its rows in lines; a picture is none."""
    if shown.kind != "table":
        return shown.text
    if len(shown.rows) == 1:
        return "\n".join(f"{title}: {value}" for title, value in zip(shown.columns, shown.rows[0], strict=True))
    return "\n".join("\t".join(row) for row in shown.rows)


def written(place: Place | None) -> str | None:
    """A place as a page carries it."""
    if place is None:
        return None
    return f"{place.created_us}.{place.prediction_id}.{place.item}.{place.revision}"


def place_of(text: str | None) -> Place | None:
    """The place that was written. Raises: PlaceUnknown."""
    if not text:
        return None
    try:
        created_us, prediction_id, item, revision = text.split(".")
        numbers = [int(one) for one in (created_us, item, revision)]
        if min(numbers) < 0 or numbers[0] >= 1 << 63 or max(numbers[1:]) >= 1 << 31:
            raise ValueError(text)
        return Place(created_us=numbers[0], prediction_id=UUID(prediction_id), item=numbers[1], revision=numbers[2])
    except ValueError as error:
        raise PlaceUnknown(after=text[:100]) from error
