"""Evaluates a release on the held-out items of a dataset, beside the champion, and keeps the report.

`python -m review.learning.evaluating` is the child process that does it.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.serving import release_plan
from review.console.report import HTML, report_html
from review.learning.child import Task, be_child
from review.learning.elsewhere import hear
from review.learning.errors import NothingHeldOut, OtherModel, UnknownDataset, UnknownRelease
from review.learning.heard import MEDIA_TYPE as HEARD
from review.learning.heard import heard_bytes
from review.learning.manifest import read_manifest
from review.learning.report import MEDIA_TYPE, Evaluated, Report, Summary, report_bytes, told_elsewhere
from review.learning.reporting import SUBJECT_MEDIA_TYPE, Subject, make_report, subject_bytes
from review.store.datasets import NewArtifact, find_dataset, items_file_of, keep_artifact, learned_from
from review.store.evaluations import (
    NewEvaluation,
    attach_report,
    champion_of,
    equal_evaluation,
    find_release,
    insert_evaluation,
)


class EvaluateTask(Task, frozen=True, kw_only=True):
    """What shall be evaluated, and where everything is."""

    artifacts: str
    tenant_id: UUID
    release: str
    dataset: str
    seed: int
    by: str
    upstreams: AllowedUpstreams = AllowedUpstreams()
    """The servers on which a release may be asked; the child reads no settings."""


async def evaluate(ledger: Ledger, task: EvaluateTask) -> Evaluated:
    """Evaluate a release; doing it again finds the same evaluation, unless one of the two runs elsewhere.

    Raises: UnknownRelease, UnknownDataset, OtherModel, NothingHeldOut, ReleaseNotRunnable, ElsewhereNotAsked.
    """
    artifacts = LocalObjects(Path(task.artifacts))
    async with ledger.reading() as r:
        subject = await _subject(r, task)
    subject, heard = await _hear(subject, task.upstreams, artifacts)
    report = await make_report(subject, artifacts)
    written = (
        (report_bytes(report), MEDIA_TYPE),
        (report_html(report).encode(), HTML),
        (subject_bytes(subject), SUBJECT_MEDIA_TYPE),
    )
    files = [
        NewArtifact(**msgspec.structs.asdict(await artifacts.put(data)), kind="report", media_type=media_type)
        for data, media_type in written
    ]
    return await _register(ledger, task, subject, report, [*files, *heard])


async def _hear(
    subject: Subject, allowed: AllowedUpstreams, artifacts: LocalObjects
) -> tuple[Subject, list[NewArtifact]]:
    """The subject with what was said elsewhere, which is kept once all of it was said. Raises: ElsewhereNotAsked."""
    digest = subject.manifest.items.sha256
    items = await artifacts.local_path(digest)
    away = [release for release in subject.releases if release.upstream is not None]
    said = [heard_bytes(await hear(release, allowed, items, digest)) for release in away]
    kept = [await artifacts.put(data) for data in said]
    files = [NewArtifact(**msgspec.structs.asdict(each), kind="report", media_type=HEARD) for each in kept]
    heard = {release.name: file.sha256 for release, file in zip(away, files, strict=True)}
    return msgspec.structs.replace(subject, heard=heard), files


async def _subject(r: ReadSession, task: EvaluateTask) -> Subject:
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
    return Subject(
        model=model.name,
        candidate=await release_plan(r, model.name, release_id),
        champion=await release_plan(r, model.name, champion_id) if is_compared and champion_id else None,
        dataset=row.sha256,
        manifest=manifest,
        seed=task.seed,
        learned=tuple([await items_file_of(r, artifact) for artifact in await learned_from(r, release_id)]),
    )


async def _register(
    ledger: Ledger, task: EvaluateTask, subject: Subject, report: Report, files: Sequence[NewArtifact]
) -> Evaluated:
    """Write the rows in one transaction, unless this very evaluation is there."""
    json, html, inputs, *_heard = files
    release_id = subject.candidate.id
    async with ledger.writing() as w:
        at_us = await w.now_us()
        known = await equal_evaluation(w, release_id, json.sha256)
        evaluation_id = known
        if evaluation_id is None:
            for file in files:
                await keep_artifact(w, file, at_us)
            new = NewEvaluation(
                release_id=release_id, dataset=subject.dataset, scores=_summary(report, html.sha256, inputs.sha256),
                report=json.sha256, baseline_id=subject.champion.id if subject.champion else None,
                narrative="\n".join(report.narrative), seed=task.seed, created_us=at_us,
            )  # fmt: skip
            evaluation_id = await insert_evaluation(w, new)
            await attach_report(w, new)
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


def _summary(report: Report, html: str, inputs: str) -> str:
    summary = Summary(
        held_out=report.held_out, overlap=report.overlap if report.overlap_known else None,
        scores=report.candidate.scores, comparisons=report.comparisons, html=html, inputs=inputs,
        elsewhere=told_elsewhere(report.candidate, report.champion),
    )  # fmt: skip
    return msgspec.json.encode(summary).decode()


if __name__ == "__main__":
    asyncio.run(be_child(EvaluateTask, evaluate))
