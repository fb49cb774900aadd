"""Makes the report of an evaluation: runs the releases over the held-out items and counts.

What it rests on is one value, the subject, which is kept beside the report: whoever has it and the files that it names
makes the same report again, with no ledger at hand. What a release said on another server is one of these files: nobody
is asked here.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.errors import GatewayError
from gateway.inference.session import OnnxSession
from gateway.plan import ReleasePlan
from gateway.record.payloads import LocalObjects
from review.learning.errors import ReleaseNotRunnable
from review.learning.heard import RanElsewhere, Said, read_heard
from review.learning.manifest import Manifest
from review.learning.narrative import Told, narrative_of
from review.learning.parquet import columns_of, read_rows
from review.learning.report import FORMAT, ItemChange, ReleaseRun, Report, listed, told_elsewhere
from review.learning.running import HeldOut, judged, read_held_out, run_over, shown
from review.learning.scores import Answers, compare, scores_of

SUBJECT_MEDIA_TYPE = "application/vnd.lockgate.evaluation-subject+json"


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that an evaluation rests on; files stand in it by their SHA-256."""

    model: str
    candidate: ReleasePlan
    champion: ReleasePlan | None
    """The baseline; none when the champion itself is evaluated."""
    dataset: str
    manifest: Manifest
    seed: int
    learned: tuple[str, ...]
    """The items files of what the candidate learned from."""
    heard: Mapping[str, str] = {}
    """What each release said that runs elsewhere, by its name."""

    @property
    def releases(self) -> tuple[ReleasePlan, ...]:
        """Candidate and champion, as far as there are two."""
        return (self.candidate,) if self.champion is None else (self.candidate, self.champion)


class _Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a release said of each held-out item, and where, if not here."""

    said: Sequence[Said]
    elsewhere: RanElsewhere | None = None


def subject_bytes(subject: Subject) -> bytes:
    """The canonical bytes."""
    return msgspec.json.encode(subject, order="deterministic")


def read_subject(data: bytes) -> Subject:
    """The subject in its bytes. Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Subject)


async def make_report(subject: Subject, artifacts: LocalObjects) -> Report:
    """The report of an evaluation, from the files that it names and from nothing else. Raises: ReleaseNotRunnable."""
    items = await artifacts.local_path(subject.manifest.items.sha256)
    held_out = read_held_out(items)
    labels = subject.manifest.labels
    choices = [choice.value for choice in labels.choices]
    ran = await _run(subject, subject.candidate, artifacts, items)
    after = judged(held_out, ran.said, labels)
    candidate = _release_run(subject.candidate, ran.elsewhere, after, held_out, choices)
    champion, before = None, None
    if subject.champion is not None:
        ran = await _run(subject, subject.champion, artifacts, items)
        before = judged(held_out, ran.said, labels)
        champion = _release_run(subject.champion, ran.elsewhere, before, held_out, choices)
    comparisons = compare(before.right, after.right, held_out.slices) if before is not None else ()
    overlap, known = await _overlap(subject.learned, held_out, artifacts)
    told = Told(
        release=candidate.release, baseline=champion.release if champion else None, dataset=subject.dataset,
        held_out=len(held_out.item), overlap=overlap, overlap_known=known, no_answer=candidate.no_answer,
        scores=candidate.scores, comparisons=comparisons,
        elsewhere=told_elsewhere(candidate, champion),
    )  # fmt: skip
    changes = list(_changes(held_out, before, after)) if before is not None else []
    return Report(
        format=FORMAT, model=subject.model, dataset=subject.dataset, seed=subject.seed, held_out=len(held_out.item),
        representative=int((after.weights > 0).sum()), overlap=overlap, overlap_known=known, candidate=candidate,
        champion=champion, comparisons=comparisons, changes=listed(changes, subject.seed), narrative=narrative_of(told),
    )  # fmt: skip


async def _run(subject: Subject, release: ReleasePlan, artifacts: LocalObjects, items: Path) -> _Ran:
    """What a release says of each held-out item. Raises: ReleaseNotRunnable."""
    if release.upstream is not None:
        return await _heard(subject, release, artifacts)
    try:
        await artifacts.verify(release.artifact)
        session = OnnxSession.open(await artifacts.local_path(release.artifact))
    except GatewayError as error:
        raise ReleaseNotRunnable(release=release.name, why=str(error)) from error
    try:
        return _Ran(said=run_over(session, release.card, items))
    finally:
        session.close()


async def _heard(subject: Subject, release: ReleasePlan, artifacts: LocalObjects) -> _Ran:
    """What a release has said elsewhere. Raises: ReleaseNotRunnable."""
    kept = subject.heard.get(release.name)
    if kept is None:
        raise ReleaseNotRunnable(release=release.name, why="it runs on another server, and nobody has asked it")
    heard = read_heard(await artifacts.get(kept))
    if heard.items != subject.manifest.items.sha256:
        raise ReleaseNotRunnable(release=release.name, why="what it said elsewhere is about other items")
    return _Ran(said=heard.said, elsewhere=heard.ran)


def _release_run(
    release: ReleasePlan, elsewhere: RanElsewhere | None, answers: Answers, held_out: HeldOut, choices: Sequence[str]
) -> ReleaseRun:
    return ReleaseRun(
        release=release.name,
        artifact=release.model_file,
        policy=release.policy_sha256,
        label_schema=release.label_schema_sha256,
        guideline=release.guideline_sha256,
        scores=scores_of(answers, held_out.slices, choices),
        no_answer=sum(not said for said in answers.said),
        elsewhere=elsewhere,
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
