"""Evaluations as people ask for them: evaluate a release, list what was evaluated, fetch a report."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from uuid import UUID

import msgspec

from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model, releases_of
from gateway.store.schema.learning import EvaluationRow
from review.actors import Actor
from review.learning.child import in_child
from review.learning.errors import UnknownEvaluation, UnknownRelease
from review.learning.evaluating import EvaluateTask
from review.learning.report import Evaluated, Report, Summary, read_report
from review.operators import require_operator
from review.release.evidence import Interval
from review.store.evaluations import (
    evaluation,
    evaluations_of,
    find_release,
    predictions_here,
    release_evaluated,
)


class EvaluationLine(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation in a list."""

    id: UUID
    release: str
    baseline: str | None
    dataset: str
    right: Interval
    """The share of right answers over the held-out cases."""
    fixes: int | None
    breaks: int | None
    report: str
    html: str
    seed: int
    created_us: int


class EvaluationShown(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as a page shows it."""

    id: UUID
    release: str
    """The release here; the report of a bundle that was imported has the name that it came with."""
    report: Report
    known: frozenset[str]
    """Those of its listed predictions that are here; an imported report lists those of another place."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where models are that an evaluation runs: the files here, and the servers that may be asked elsewhere."""

    artifacts: LocalObjects
    upstreams: AllowedUpstreams = AllowedUpstreams()


async def evaluate_release(
    ledger: Ledger, places: Places, actor: Actor, release: str, dataset: str, seed: int
) -> Evaluated:
    """Evaluate a release on the held-out items of a dataset in a child process, beside the champion.

    Raises: UnknownRelease, NotAllowed, UnknownDataset, OtherModel, NothingHeldOut, ReleaseNotRunnable,
    ElsewhereNotAsked, LearningFailed.
    """
    async with ledger.reading() as r:
        found = await find_release(r, actor.tenant_id, release)
    if found is None:
        raise UnknownRelease(release=release[:80])
    require_operator(actor, found[1].id)
    return await evaluate_in_child(ledger, places, actor.tenant_id, actor.by, release, dataset, seed)


async def evaluate_in_child(
    ledger: Ledger, places: Places, tenant_id: UUID, by: str, release: str, dataset: str, seed: int = 0
) -> Evaluated:
    """Evaluate a release in a child process, without asking who may."""
    task = EvaluateTask(
        ledger_url=ledger.url.render_as_string(hide_password=False), artifacts=str(places.artifacts.directory.root),
        tenant_id=tenant_id, release=release, dataset=dataset, seed=seed, by=by, upstreams=places.upstreams,
    )  # fmt: skip
    done = await in_child("learning.evaluating", task, Evaluated)
    await ledger.bell.ring()
    return done


async def list_evaluations(r: ReadSession, tenant_id: UUID, release: str) -> list[EvaluationLine]:
    """The evaluations of a release, or of all releases of a model, the newest first.

    Raises: UnknownRelease, UnknownModel.
    """
    release_id = None
    if "@" in release:
        found = await find_release(r, tenant_id, release)
        if found is None:
            raise UnknownRelease(release=release[:80])
        release_id = found[0]
    model = await known_model(r, tenant_id, release.partition("@")[0])
    names = {row.id: f"{model.name}@{row.number}" for row, _ in await releases_of(r, model.id)}
    return [_line(row, names) for row in await evaluations_of(r, model.id, release_id)]


async def read_evaluation(
    r: ReadSession, artifacts: LocalObjects, tenant_id: UUID, evaluation_id: UUID
) -> tuple[Report, bytes]:
    """The report of an evaluation with its page, as they were made. Raises: UnknownEvaluation."""
    row = await evaluation(r, tenant_id, evaluation_id)
    if row is None or row.report is None:
        raise UnknownEvaluation
    html = msgspec.json.decode(row.scores, type=Summary).html
    return read_report(await artifacts.get(row.report)), await artifacts.get(html)


async def show_evaluation(
    r: ReadSession, artifacts: LocalObjects, tenant_id: UUID, evaluation_id: UUID
) -> EvaluationShown:
    """An evaluation for a page, with what of it can be followed. Raises: UnknownEvaluation."""
    report, _ = await read_evaluation(r, artifacts, tenant_id, evaluation_id)
    known = await predictions_here(r, tenant_id, list(_predictions(report)))
    return EvaluationShown(
        id=evaluation_id,
        release=await release_evaluated(r, evaluation_id),
        report=report,
        known=frozenset(str(each) for each in known),
    )


def _predictions(report: Report) -> Iterator[UUID]:
    """The predictions that it lists; a stranger's report may list what is none."""
    for change in report.changes:
        with suppress(ValueError):
            yield UUID(change.prediction)


def _line(row: EvaluationRow, names: Mapping[UUID, str]) -> EvaluationLine:
    summary = msgspec.json.decode(row.scores, type=Summary)
    overall = summary.comparisons[0] if summary.comparisons else None
    return EvaluationLine(
        id=row.id,
        release=names[row.release_id],
        baseline=names[row.baseline_id] if row.baseline_id else summary.beside or None,
        dataset=row.dataset,
        right=summary.scores.raw,
        fixes=overall.fixes if overall else None,
        breaks=overall.breaks if overall else None,
        report=row.report or "",
        html=summary.html,
        seed=row.seed,
        created_us=row.created_us,
    )
