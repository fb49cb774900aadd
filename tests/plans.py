"""A small believable plan in memory: one text model with three classes, as the pure tests need it."""

from typing import Any
from uuid import UUID

import msgspec

from gateway.labels import Choice, LabelSchema
from gateway.plan import HaltPlan, ModelPlan, PrecedentPlan, QueuePlan, ReleasePlan, TrialPlan
from gateway.policy import Policy
from gateway.registry.card import About, AnswerOutput, Card, OutcomeTensor, Shown

TENANT = UUID(int=1)
CLASSES = ("negative", "neutral", "positive")


def make_card(**changes: Any) -> Card:
    """A sentiment card: `label` is the answer, `probabilities` its confidence in the order of CLASSES."""
    card = Card(
        about=About(
            owner="Text team", contact="text@example.org", intended_use="Sorting reviews.", limitations="English."
        ),
        shown=(Shown(input="text", kind="text"),),
        answer=AnswerOutput(output="label", confidence="probabilities", classes=CLASSES),
        outcome=(
            OutcomeTensor(output="label", becomes="answer"),
            OutcomeTensor(output="probabilities", becomes="one_hot"),
        ),
        labels=LabelSchema(
            kind="choice",
            choices=tuple(Choice(value=name, key=str(key)) for key, name in enumerate(CLASSES, start=1)),
        ),
        guideline="Judge the sentence as its writer meant it.",
    )
    return msgspec.structs.replace(card, **changes)


def make_release(number: int = 1, *, card: Card | None = None, **policy: Any) -> ReleasePlan:
    """A release of that model with a policy."""
    declared = Policy(**policy)
    return ReleasePlan(
        id=UUID(int=100 + number),
        name=f"sentiment@{number}",
        number=number,
        version=number,
        artifact=f"{number:064x}",
        card=msgspec.structs.replace(card or make_card(), policy=declared),
        policy=declared,
        policy_sha256="p" * 64,
        label_schema_sha256="s" * 64,
        guideline_sha256="g" * 64,
    )


def make_model(
    *,
    champion: ReleasePlan | None = None,
    candidate: ReleasePlan | None = None,
    canary_open: bool = False,
    halt: str | None = None,
    precedents: dict[str, PrecedentPlan] | None = None,
    **changes: Any,
) -> ModelPlan:
    """The model's plan; `precedents` go by input digest."""
    champion = champion or make_release()
    trial = None
    if candidate is not None:
        trial = TrialPlan(id=UUID(int=7), candidate=candidate, canary_open=canary_open, disagreement_probability=1.0)
    model = ModelPlan(
        id=UUID(int=2),
        tenant_id=TENANT,
        name="sentiment",
        four_eyes=False,
        champion=champion,
        previous=None,
        trial=trial,
        halt=HaltPlan(mode=halt, by="person:ops@example.org", why="test", since_us=1) if halt else None,  # type: ignore[arg-type]
        queue=QueuePlan(id=UUID(int=3), revision_id=UUID(int=4), deadline_s=600.0, blind_share=0.0, capacity=None),
        precedents={(champion.label_schema_sha256, digest): found for digest, found in (precedents or {}).items()},
        open_holds=0,
    )
    return msgspec.structs.replace(model, **changes)
