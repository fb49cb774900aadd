"""A live plan with a champion and a candidate, and answers beside which the candidate runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import msgspec
import numpy as np

from flags.answer import NOTHING_LOADED
from gateway.capture import Capture
from gateway.decision import Asked, By, Decision
from gateway.holding.held import HeldPrediction
from gateway.ids import new_id
from gateway.inference.beside import Beside
from gateway.inference.cache import SessionCache
from gateway.labels import Choice, LabelSchema
from gateway.plan import Caller, ModelPlan, Plan, ReleasePlan
from gateway.protocol.decode import Limits
from gateway.record.entries import Shadowed
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.reader import tail
from gateway.registry.card import AnswerOutput, Card
from gateway.registry.card import Shown as ShownInput
from gateway.registry.live import LivePlan, Opener
from gateway.settle import Run, settle
from gateway.stages import Stages
from gateway.times import now_us
from tests.plans import TENANT, make_card, make_model, make_release

CLASSES = ("low", "middle", "high")
SURE = [1.0, 30.0, -1.0, 0.0]


def grades_card() -> Card:
    """A card of the tests' small models."""
    return make_card(
        shown=(ShownInput(input="x", kind="table"),),
        answer=AnswerOutput(output="probabilities", takes="argmax", confidence="probabilities", classes=CLASSES),
        outcome=(),
        labels=LabelSchema(kind="choice", choices=tuple(Choice(value=name) for name in CLASSES)),
    )


class Shadows(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's parts around a trial."""

    folder: Path
    log: TrafficLog
    capture: Capture
    objects: LocalObjects
    live: LivePlan
    cache: SessionCache
    model: ModelPlan

    def answer(
        self, *rows: Sequence[float], by: By = "model", hold_below: float = 0.0, shadow: bool = True
    ) -> HeldPrediction:
        """An answer of the champion to these rows."""
        champion, feeds = self.model.champion, {"x": np.array(rows, dtype=np.float32)}
        candidate = self.model.trial.candidate if self.model.trial and shadow else None
        decision = Decision(
            release=champion,
            path="shadow" if shadow else "automated",
            rule="automated",
            by=by,
            policy=msgspec.structs.replace(champion.policy, hold_below=hold_below),
            shadow_release=candidate,
        )
        session = self.live.live(champion).session
        run = Run(inputs=feeds, outputs=session.run(feeds), items=len(rows), draws=[1.0] * len(rows))
        return HeldPrediction(
            id=new_id(),
            caller=Caller(key_id=new_id(), key_name="shop", tenant_id=TENANT, person_id=None, scopes=frozenset()),
            model=self.model,
            decision=decision,
            settled=settle(decision, run),
            asked=Asked(),
            flag_state=None,
            facts={},
            input_digest="0" * 64,
            inputs=feeds,
            beside={},
            outputs=dict(run.outputs),
            signature=session.signature,
            decided_us=now_us(),
        )

    def beside(self, prediction: HeldPrediction) -> Beside:
        """The answer as the pipeline offers it."""
        return Beside(live=self.live, prediction=prediction, flags=NOTHING_LOADED, at=Stages())

    def shadowed(self) -> list[Shadowed]:
        """Every run that the log tells of, in order."""
        stretches = tail(self.folder / "traffic" / "open", {})
        return [each.entry for one in stretches for each in one.entries if isinstance(each.entry, Shadowed)]


@asynccontextmanager
async def shadows(
    folder: Path, champion: bytes, candidate: bytes | None, probability: float = 1.0
) -> AsyncIterator[Shadows]:
    """A trial of these two model files; without a file the candidate cannot be loaded."""
    artifacts, objects = LocalObjects(folder / "artifacts"), LocalObjects(folder / "objects")
    cache = SessionCache()
    releases = [await _release(artifacts, number, file) for number, file in enumerate((champion, candidate), start=1)]
    model = make_model(champion=releases[0], candidate=releases[1])
    assert model.trial is not None
    trial = msgspec.structs.replace(model.trial, disagreement_probability=probability)
    model = msgspec.structs.replace(model, trial=trial)
    plan = Plan(revision=1, models={(TENANT, model.name): model}, callers={})
    live = await LivePlan.open(plan, None, Opener(cache=cache, artifacts=artifacts, limits=Limits()))
    settings = LogSettings(directory=folder / "traffic", process="gateway-1", sync_interval_s=60, reserve_bytes=0)
    async with open_traffic_log(settings, objects) as log:
        capture = Capture(log, objects)
        yield Shadows(folder=folder, log=log, capture=capture, objects=objects, live=live, cache=cache, model=model)
        await capture.close()
    live.retire()


async def _release(artifacts: LocalObjects, number: int, file: bytes | None) -> ReleasePlan:
    kept = (await artifacts.put(file)).sha256 if file is not None else "0" * 64
    return msgspec.structs.replace(make_release(number, card=grades_card()), artifact=kept)


def dice() -> Random:
    """Randomness that is the same in each run of a test."""
    return Random(7)
