"""Evaluates a release on the held-out items of a dataset, beside the champion, and keeps the report.

`python -m review.learning.evaluating` is the child process that does it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.errors import GatewayError
from gateway.inference.session import OnnxSession
from gateway.plan import ReleasePlan
from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.serving import release_plan
from review.console.report import HTML, report_html
from review.learning.child import Task, be_child
from review.learning.errors import NothingHeldOut, OtherModel, ReleaseNotRunnable, UnknownDataset, UnknownRelease
from review.learning.manifest import Manifest, read_manifest
from review.learning.narrative import Told, narrative_of
from review.learning.parquet import columns_of, read_rows
from review.learning.report import (
    FORMAT,
    MEDIA_TYPE,
    Evaluated,
    ItemChange,
    ReleaseRun,
    Report,
    Summary,
    listed,
    report_bytes,
)
from review.learning.running import HeldOut, judged, read_held_out, run_over, shown
from review.learning.saying import Said
from review.learning.scores import Answers, compare, scores_of
from review.store.datasets import NewArtifact, find_dataset, items_file_of, keep_artifact, learned_from
from review.store.evaluations import NewEvaluation, champion_of, equal_evaluation, find_release, insert_evaluation


class EvaluateTask(Task, frozen=True, kw_only=True):
    """What shall be evaluated, and where everything is."""

    artifacts: str
    tenant_id: UUID
    release: str
    dataset: str
    seed: int
    by: str


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about the task."""

    model: str
    candidate: ReleasePlan
    champion: ReleasePlan | None
    dataset: str
    manifest: Manifest
    learned: tuple[str, ...]
    """The items files of what the candidate learned from."""


async def evaluate(ledger: Ledger, task: EvaluateTask) -> Evaluated:
    """Evaluate a release; doing it again finds the same evaluation.

    Raises: UnknownRelease, UnknownDataset, OtherModel, NothingHeldOut, ReleaseNotRunnable.
    """
    artifacts = LocalObjects(Path(task.artifacts))
    async with ledger.reading() as r:
        subject = await _subject(r, task)
    report = await _report(subject, artifacts, task.seed)
    json, html = await artifacts.put(report_bytes(report)), await artifacts.put(report_html(report).encode())
    files = (
        NewArtifact(**msgspec.structs.asdict(json), kind="report", media_type=MEDIA_TYPE),
        NewArtifact(**msgspec.structs.asdict(html), kind="report", media_type=HTML),
    )
    return await _register(ledger, task, subject, report, files)


async def _subject(r: ReadSession, task: EvaluateTask) -> _Subject:
    found, dataset = (
        await find_release(r, task.tenant_id, task.release),
        await find_dataset(r, task.tenant_id, task.dataset),
    )
    if found is None:
        raise UnknownRelease(release=task.release[:80])
    if dataset is None:
        raise UnknownDataset(dataset=task.dataset[:80])
    release_id, model = found
    row, of_model = dataset
    if of_model != model.name:
        raise OtherModel(dataset=row.sha256[:12], model=of_model, release=task.release)
    manifest = read_manifest(row.manifest)
    if not manifest.splits["held_out"]:
        raise NothingHeldOut(dataset=row.sha256[:12])
    champion_id = await champion_of(r, model.id)
    is_compared = champion_id is not None and champion_id != release_id
    return _Subject(
        model=model.name,
        candidate=await release_plan(r, model.name, release_id),
        champion=await release_plan(r, model.name, champion_id) if is_compared and champion_id else None,
        dataset=row.sha256,
        manifest=manifest,
        learned=tuple([await items_file_of(r, artifact) for artifact in await learned_from(r, release_id)]),
    )


async def _report(subject: _Subject, artifacts: LocalObjects, seed: int) -> Report:
    items = await artifacts.local_path(subject.manifest.items.sha256)
    held_out = read_held_out(items)
    labels = subject.manifest.labels
    choices = [choice.value for choice in labels.choices]
    after = judged(held_out, await _run(subject.candidate, artifacts, items), labels)
    candidate = _release_run(subject.candidate, after, held_out, choices)
    champion, before = None, None
    if subject.champion is not None:
        before = judged(held_out, await _run(subject.champion, artifacts, items), labels)
        champion = _release_run(subject.champion, before, held_out, choices)
    comparisons = compare(before.right, after.right, held_out.slices) if before is not None else ()
    overlap, known = await _overlap(subject.learned, held_out, artifacts)
    told = Told(
        release=candidate.release, baseline=champion.release if champion else None, dataset=subject.dataset,
        held_out=len(held_out.item), overlap=overlap, overlap_known=known, no_answer=candidate.no_answer,
        scores=candidate.scores, comparisons=comparisons,
    )  # fmt: skip
    changes = list(_changes(held_out, before, after)) if before is not None else []
    return Report(
        format=FORMAT, model=subject.model, dataset=subject.dataset, seed=seed, held_out=len(held_out.item),
        representative=int((after.weights > 0).sum()), overlap=overlap, overlap_known=known, candidate=candidate,
        champion=champion, comparisons=comparisons, changes=listed(changes, seed), narrative=narrative_of(told),
    )  # fmt: skip


async def _run(release: ReleasePlan, artifacts: LocalObjects, items: Path) -> list[Said]:
    """What a release says of each held-out item. Raises: ReleaseNotRunnable."""
    if not release.artifact:
        raise ReleaseNotRunnable(release=release.name, why="it is an upstream")
    try:
        await artifacts.verify(release.artifact)
        session = OnnxSession.open(await artifacts.local_path(release.artifact))
    except GatewayError as error:
        raise ReleaseNotRunnable(release=release.name, why=str(error)) from error
    try:
        return run_over(session, release.card, items)
    finally:
        session.close()


def _release_run(release: ReleasePlan, answers: Answers, held_out: HeldOut, choices: Sequence[str]) -> ReleaseRun:
    return ReleaseRun(
        release=release.name,
        artifact=release.artifact,
        policy=release.policy_sha256,
        label_schema=release.label_schema_sha256,
        guideline=release.guideline_sha256,
        scores=scores_of(answers, held_out.slices, choices),
        no_answer=sum(not said for said in answers.said),
    )


async def _overlap(learned: Sequence[str], held_out: HeldOut, artifacts: LocalObjects) -> tuple[int, bool]:
    """How many held-out inputs the candidate learned from, and whether that can be told at all."""
    mine, met, known = set(held_out.digests), set[str](), False
    for sha256 in learned:
        path = await artifacts.local_path(sha256)
        try:
            if not {"input_sha256", "split"} <= set(columns_of(path)):
                continue
        except ValueError:  # no Parquet: it was attached by somebody who learned elsewhere
            continue
        known = True
        for batch in read_rows(path, ("input_sha256",), split="train"):
            met |= mine.intersection(batch["input_sha256"])
    return sum(digest in met for digest in held_out.digests), known


def _changes(held_out: HeldOut, before: Answers, after: Answers) -> Iterator[ItemChange]:
    for at in (before.right != after.right).nonzero()[0]:
        yield ItemChange(
            prediction=held_out.prediction[at],
            item=held_out.item[at],
            change="fixed" if after.right[at] else "broken",
            truth=shown(held_out.truth[at]),
            champion=before.said[at],
            candidate=after.said[at],
        )


async def _register(
    ledger: Ledger, task: EvaluateTask, subject: _Subject, report: Report, files: tuple[NewArtifact, NewArtifact]
) -> Evaluated:
    """Write the rows in one transaction, unless this very evaluation is there."""
    json, html = files
    release_id = subject.candidate.id
    async with ledger.writing() as w:
        at_us = await w.now_us()
        known = await equal_evaluation(w, release_id, json.sha256)
        evaluation_id = known
        if evaluation_id is None:
            for file in files:
                await keep_artifact(w, file, at_us)
            new = NewEvaluation(
                release_id=release_id, dataset=subject.dataset, scores=_summary(report, html.sha256),
                report=json.sha256, baseline_id=subject.champion.id if subject.champion else None,
                narrative="\n".join(report.narrative), seed=task.seed, created_us=at_us,
            )  # fmt: skip
            evaluation_id = await insert_evaluation(w, new)
            data = {"release": subject.candidate.name, "dataset": subject.dataset, "evaluation": str(evaluation_id)}
            await append_event(
                w, "release.evaluated", f"model:{subject.model}", data, by=task.by, tenant_id=task.tenant_id,
                at_us=at_us,
            )  # fmt: skip
    return Evaluated(
        id=evaluation_id, new=known is None, report=json.sha256, html=html.sha256, release=subject.candidate.name,
        baseline=subject.champion.name if subject.champion else None, dataset=subject.dataset, seed=task.seed,
        scores=report.candidate.scores, baseline_scores=report.champion.scores if report.champion else None,
        comparisons=report.comparisons, narrative=report.narrative,
    )  # fmt: skip


def _summary(report: Report, html: str) -> str:
    summary = Summary(
        held_out=report.held_out, overlap=report.overlap, scores=report.candidate.scores,
        comparisons=report.comparisons, html=html,
    )  # fmt: skip
    return msgspec.json.encode(summary).decode()


if __name__ == "__main__":
    asyncio.run(be_child(EvaluateTask, evaluate))
