"""What a test of holding has in hand: predictions to hold, people who judge, and a look at what was recorded."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy import func, select

from gateway.decision import Asked, Decision, Settled, SettledItem
from gateway.holding.held import HeldPrediction
from gateway.holding.holds import Holds
from gateway.ids import new_id
from gateway.plan import Caller, ModelPlan, QueuePlan, ReleasePlan
from gateway.policy import Policy
from gateway.protocol.signature import Signature, TensorSpec
from gateway.record.payloads import LocalObjects
from gateway.reply import Reply
from gateway.store.ledger import Ledger
from gateway.store.schema.predictions import DeliveryRow, PredictionRow
from gateway.store.schema.work import CaseRow
from gateway.times import now_us
from review.actors import Actor
from review.desk.claim import claim_case
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from review.store.claims import Claim
from tests.worlds import CARD, World

CLASSES = CARD.answer.classes
SIGNATURE = Signature(
    inputs=(TensorSpec(name="text", datatype="BYTES", shape=(-1,)),),
    outputs=(
        TensorSpec(name="label", datatype="BYTES", shape=(-1,)),
        TensorSpec(name="probabilities", datatype="FP32", shape=(-1, 3)),
    ),
)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway's holds over a ledger with a small world in it."""

    ledger: Ledger
    objects: LocalObjects
    world: World
    holds: Holds

    def caller(self, *, key_id: UUID | None = None, scopes: frozenset[str] = frozenset({"predict:*"})) -> Caller:
        """The world's service, or another key."""
        return Caller(
            key_id=key_id or self.world.key_id,
            key_name="shop",
            tenant_id=self.world.tenant_id,
            person_id=None,
            scopes=scopes,
        )

    def model(self, policy: Policy) -> ModelPlan:
        """The served model under this policy."""
        queue = QueuePlan(
            id=self.world.queue_id,
            revision_id=self.world.queue_revision_id,
            deadline_s=3600.0,
            blind_share=0.0,
            capacity=None,
        )
        release = ReleasePlan(
            id=self.world.release_id,
            name="sentiment@1",
            number=1,
            version=1,
            artifact="",
            card=CARD,
            policy=policy,
            policy_sha256="",
            label_schema_sha256="",
            guideline_sha256="",
        )
        return ModelPlan(
            id=self.world.model_id,
            tenant_id=self.world.tenant_id,
            name="sentiment",
            four_eyes=False,
            champion=release,
            previous=None,
            trial=None,
            halt=None,
            queue=queue,
            precedents={},
            open_holds=0,
        )

    def held(
        self,
        text: str = "not bad at all",
        *,
        items: int = 1,
        held: tuple[int, ...] = (1,),
        policy: Policy = Policy(),  # noqa: B008 - a frozen value
        rule: str = "below_threshold",
        **asked: Any,
    ) -> HeldPrediction:
        """A prediction of `items` texts of which these are held; the model says that each is negative."""
        model = self.model(policy)
        settled = tuple(
            SettledItem(
                item=item,
                held=item in held,
                rule=rule if item in held else "automated",
                evidence={"score": 0.41},
                answer="negative",
                score=0.41,
            )
            for item in range(1, items + 1)
        )
        return HeldPrediction(
            id=new_id(),
            caller=self.caller(),
            model=model,
            decision=Decision(release=model.champion, path="automated", rule="automated", by="model", policy=policy),
            settled=Settled(path="review", rule=rule, items=settled),
            asked=Asked(**asked),
            flag_state=None,
            facts={"channel": "web"},
            input_digest=text.encode().hex()[:64].ljust(64, "0"),
            inputs={"text": np.array([text] * items, dtype=object)},
            beside={},
            outputs={
                "label": np.array(["negative"] * items, dtype=object),
                "probabilities": np.tile(np.array([0.41, 0.30, 0.29], dtype=np.float32), (items, 1)),
            },
            signature=SIGNATURE,
            decided_us=now_us(),
        )

    def person(self, name: str = "ada") -> Actor:
        """A person of the world."""
        role = "lead" if name.startswith("l") else "reviewer"
        return Actor(
            kind="person",
            id=self.world.people[name],
            name=name.title(),
            email=f"{name}@example.org",
            tenant_id=self.world.tenant_id,
            roles=frozenset({(role, None)}),  # type: ignore[arg-type]
        )

    async def cases(self, prediction_id: UUID) -> list[CaseRow]:
        """The cases of a prediction by item."""
        statement = select(CaseRow).where(CaseRow.prediction_id == prediction_id).order_by(CaseRow.item, CaseRow.kind)
        async with self.ledger.reading() as r:
            return list((await r.execute(statement)).scalars())

    async def claim(self, case_id: UUID, name: str = "ada") -> Claim:
        """A reviewer's claim on the case."""
        async with self.ledger.writing() as w:
            return await claim_case(w, self.person(name), case_id)

    async def judge(self, case_id: UUID, answer: str | None, name: str = "ada") -> None:
        """One verdict, which decides the case: this answer, or that none is right."""
        claim = await self.claim(case_id, name)
        await self.post(claim, answer, name)

    async def post(self, claim: Claim, answer: str | None, name: str = "ada") -> None:
        """The verdict under a claim."""
        kind = "unanswerable" if answer is None else "correct"
        judgement = Judgement(kind=kind, answer=answer, post_key=claim.id.hex)
        await post_verdict(self.ledger, self.person(name), claim.id, claim.token, judgement)

    async def deliveries(self, prediction_id: UUID) -> list[tuple[int, str, int | None]]:
        """Number, kind and told revision of each delivery."""
        row = DeliveryRow
        statement = select(row.n, row.kind, row.outcome_revision).where(row.prediction_id == prediction_id)
        async with self.ledger.reading() as r:
            return [tuple(found) for found in await r.execute(statement.order_by(row.n))]  # type: ignore[misc]

    async def prediction_ids(self) -> list[UUID]:
        """Every prediction that the ledger has, oldest first."""
        async with self.ledger.reading() as r:
            return list((await r.execute(select(PredictionRow.id).order_by(PredictionRow.created_us))).scalars())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at each time the bell rings."""
        with self.ledger.bell.listen() as listener:
            while not condition():
                assert await listener.wait(5.0) or condition()

    async def until_held(self, count: int = 1) -> list[UUID]:
        """The predictions, once so many are in the ledger."""
        with self.ledger.bell.listen() as listener:
            while len(ids := await self.prediction_ids()) < count:
                await listener.wait(5.0)
        return ids

    async def count(self, table: type) -> int:
        """How many rows a table has."""
        async with self.ledger.reading() as r:
            return int((await r.execute(select(func.count()).select_from(table))).scalar_one())


def told(reply: Reply) -> dict[str, Any]:
    """The body of a reply."""
    return msgspec.json.decode(reply.body)  # type: ignore[no-any-return]


def tensors(reply: Reply) -> dict[str, list[Any]]:
    """The outputs of a 200 by name, flat."""
    return {output["name"]: output["data"] for output in told(reply)["outputs"]}
