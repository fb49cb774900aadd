"""An evaluation as the product keeps it, of answers that are made up: for pages that show one."""

import hashlib

import msgspec
import numpy as np

from gateway.store.events import append_event
from gateway.store.models import known_model
from review.console.report import report_html
from review.learning.narrative import Told, narrative_of
from review.learning.report import FORMAT, ItemChange, ReleaseRun, Report, Summary, report_bytes
from review.learning.scores import Answers, compare, scores_of
from review.store.datasets import NewArtifact, NewDataset, insert_dataset, keep_artifact
from review.store.evaluations import NewEvaluation, attach_report, insert_evaluation
from review.store.releases import find_release
from tests.browser.operations_scene import BY, Operated

CLASSES, ITEMS, SEED = ("a", "b", "c"), 400, 8
DATASET = hashlib.sha256(b"the dataset of the picture").hexdigest()
DIGEST = "0" * 64
ELSEWHERE = "019ac000-0000-7000-8000-000000000001"
"""A prediction that is listed and not here, as in a report that was imported."""


def answers(random: np.random.Generator, truth: list[str], skill: float) -> Answers:
    """Answers that are right as often as their score promises, more or less."""
    scores = np.clip(random.beta(5, 5 * (1 - skill) / skill, len(truth)), 0.34, 0.99)
    right = random.random(len(truth)) < scores
    said = [each if hit else CLASSES[CLASSES.index(each) - 1] for each, hit in zip(truth, right, strict=True)]
    return Answers(truth=truth, said=said, right=right, scores=scores, weights=np.ones(len(truth)))


def report(model: str, number: int, champion: int) -> Report:
    """A report in which the release is better than the champion, and worse for some."""
    random = np.random.default_rng(SEED)
    truth = [CLASSES[place] for place in random.integers(0, 3, ITEMS)]
    before, after = answers(random, truth, 0.72), answers(random, truth, 0.84)
    slices = {"plan": ["free" if place % 3 else "paid" for place in range(ITEMS)]}
    runs = [
        ReleaseRun(
            release=f"{model}@{each}", artifact=DIGEST, policy=DIGEST, label_schema=DIGEST, guideline=DIGEST,
            scores=scores_of(said, slices, CLASSES), no_answer=0,
        )
        for each, said in ((number, after), (champion, before))
    ]  # fmt: skip
    comparisons = compare(before.right, after.right, slices)
    told = Told(
        release=runs[0].release, baseline=runs[1].release, dataset=DATASET, held_out=ITEMS, overlap=0,
        overlap_known=True, no_answer=0, scores=runs[0].scores, comparisons=comparisons,
    )  # fmt: skip
    change = ItemChange(
        prediction=ELSEWHERE,
        item=1,
        change="fixed",
        truth="a",
        champion="b",
        candidate="a",
    )
    return Report(
        format=FORMAT, model=model, dataset=DATASET, seed=SEED, held_out=ITEMS, representative=ITEMS, overlap=0,
        overlap_known=True, candidate=runs[0], champion=runs[1], comparisons=comparisons, changes=(change,),
        narrative=narrative_of(told),
    )  # fmt: skip


def evaluate(world: Operated, name: str, number: int, champion: int = 1) -> None:
    """Keep such an evaluation of a release, with its event."""
    world.scene.run(_keep(world, name, report(name, number, champion), number, champion))
    world.position()


async def _keep(world: Operated, name: str, made: Report, number: int, champion: int) -> None:
    tenant_id, ledger = world.scene.world.tenant_id, world.scene.ledger
    stored = [await world.artifacts.put(data) for data in (report_bytes(made), report_html(made).encode())]
    files = [
        NewArtifact(**msgspec.structs.asdict(each), kind="report", media_type="application/json") for each in stored
    ]
    summary = Summary(
        held_out=ITEMS, overlap=0, scores=made.candidate.scores, comparisons=made.comparisons, html=stored[1].sha256
    )
    async with ledger.writing() as w:
        model, at_us = await known_model(w, tenant_id, name), await w.now_us()
        for file in files:
            await keep_artifact(w, file, at_us)
        rows = [await find_release(w, model.id, each) for each in (number, champion)]
        assert rows[0] is not None
        assert rows[1] is not None
        dataset = {"sha256": DATASET, "tenant_id": tenant_id, "model_id": model.id, "model": name}
        await insert_dataset(w, NewDataset(**dataset, manifest="{}", items=ITEMS, by=BY, at_us=at_us))
        new = NewEvaluation(
            release_id=rows[0].id, dataset=DATASET, scores=msgspec.json.encode(summary).decode(),
            report=stored[0].sha256, baseline_id=rows[1].id, narrative="", seed=SEED, created_us=at_us,
        )  # fmt: skip
        await insert_evaluation(w, new)
        await attach_report(w, new)
        data = {"release": f"{name}@{number}", "dataset": DATASET}
        await append_event(w, "release.evaluated", f"model:{name}", data, by=BY, tenant_id=tenant_id, at_us=at_us)
