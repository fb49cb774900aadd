"""The SQL that only the console needs: what a card shows of a case, and what became of a verdict."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from gateway.labels import Answer
from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import DeliveryKind, DeliveryRow, PayloadRow, PredictionRow
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.work import CaseKind, CaseRow, CaseState, VerdictKind, VerdictRow
from gateway.times import SECOND_US
from review.desk.pair import Pair, pair_of

SLACK_US = 2 * SECOND_US
"""A caller whose wait was over this long ago is gone, even if the process that served it died before it said so."""
CallerState = Literal["waiting", "asks_again", "gone", "nobody"]


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows of a case and its prediction."""

    id: UUID
    prediction_id: UUID
    item: int
    items: int
    kind: CaseKind
    model: str
    model_id: UUID
    release_id: UUID
    other_release_id: UUID | None
    rule: str
    evidence: dict[str, float | str]
    answer: Answer | None
    score: float | None
    inclusion_probability: float | None
    draw: float | None
    blind: bool
    state: CaseState
    round: int
    due_us: int
    created_us: int
    caller_waiting: bool
    wait_until_us: int | None
    input_sha256: str | None
    """The digest of what came in; None where it was not kept or was erased."""

    @property
    def pair(self) -> Pair | None:
        """The two unnamed answers of a disagreement."""
        return pair_of(self.release_id, self.other_release_id, self.answer, self.evidence, self.draw)

    def caller(self, now_us: int) -> CallerState:
        """Whether a caller waits now, will ask again, has gone, or whether there never was one for this case."""
        if self.kind != "hold":
            return "nobody"
        if self.wait_until_us is None:
            return "waiting" if self.caller_waiting else "asks_again"
        return "waiting" if self.caller_waiting and now_us < self.wait_until_us + SLACK_US else "gone"


class VerdictAftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a verdict so far."""

    kind: CaseKind
    caller_waiting: bool
    created_us: int
    delivery: DeliveryKind | None
    delivered_us: int | None


_FACTS = (
    select(
        CaseRow.id, CaseRow.prediction_id, CaseRow.item, CaseRow.kind, CaseRow.model_id, CaseRow.release_id,
        CaseRow.rule, CaseRow.evidence, CaseRow.answer, CaseRow.score, CaseRow.inclusion_probability, CaseRow.draw,
        CaseRow.other_release_id, CaseRow.blind, CaseRow.state, CaseRow.round,
        CaseRow.due_us, CaseRow.created_us, CaseRow.caller_waiting,
        PredictionRow.items, PredictionRow.wait_until_us, ModelRow.name.label("model"),
        PayloadRow.sha256.label("input_sha256"), PayloadRow.erased_us,
    )
    .join(PredictionRow, PredictionRow.id == CaseRow.prediction_id)
    .join(ModelRow, ModelRow.id == CaseRow.model_id)
    .outerjoin(PayloadRow, PayloadRow.id == PredictionRow.input_payload_id)
)  # fmt: skip


async def case_facts(r: ReadSession, case_id: UUID) -> CaseFacts:
    """What a card shows of a case."""
    return _facts((await r.execute(_FACTS.where(CaseRow.id == case_id))).one())


def _facts(row: Any) -> CaseFacts:
    values = dict(row._mapping)
    erased = values.pop("erased_us") is not None
    answer, evidence, sha256 = values.pop("answer"), values.pop("evidence"), values.pop("input_sha256")
    return CaseFacts(
        **values,
        answer=None if answer is None else msgspec.json.decode(answer),
        evidence=msgspec.json.decode(evidence, type=dict[str, float | str]),
        input_sha256=None if erased else sha256,
    )


async def aftermath(r: ReadSession, verdict_id: UUID, person_id: UUID) -> VerdictAftermath | None:
    """What became of a person's verdict: whether a caller waits, and the first telling after it."""
    told = (
        select(func.min(DeliveryRow.n))
        .where(DeliveryRow.prediction_id == CaseRow.prediction_id, DeliveryRow.delivered_us >= VerdictRow.created_us)
        .where(DeliveryRow.kind != "held")
        .correlate(CaseRow, VerdictRow)
        .scalar_subquery()
    )
    statement = (
        select(
            CaseRow.kind, CaseRow.caller_waiting, VerdictRow.created_us,
            DeliveryRow.kind.label("delivery"), DeliveryRow.delivered_us,
        )
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .outerjoin(DeliveryRow, (DeliveryRow.prediction_id == CaseRow.prediction_id) & (DeliveryRow.n == told))
        .where(VerdictRow.id == verdict_id, VerdictRow.person_id == person_id)
    )  # fmt: skip
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else VerdictAftermath(**row._mapping)


class Undoable(msgspec.Struct, frozen=True, kw_only=True):
    """The last verdict of a person, as far as the undo button is concerned."""

    case_id: UUID
    kind: VerdictKind
    created_us: int


async def last_settling(r: ReadSession, person_id: UUID, since_us: int) -> Undoable | None:
    """The person's latest verdict since a moment, if its case is settled in the same round."""
    statement = (
        select(VerdictRow.case_id, VerdictRow.kind, VerdictRow.created_us)
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .where(VerdictRow.person_id == person_id, VerdictRow.created_us >= since_us)
        .where(CaseRow.state == "settled", CaseRow.round == VerdictRow.round)
        .order_by(VerdictRow.created_us.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else Undoable(**row._mapping)
