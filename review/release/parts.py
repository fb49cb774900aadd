"""What a release consists of: each part with its digest, whether it is kept as it was, and why one is not there."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from gateway.record.payloads import ObjectStore
from gateway.store.ledger import ReadSession
from gateway.store.models import canonical, described_upstream
from gateway.store.schema.serves import ModelRow, ReleaseRow, VersionRow
from review.learning.recipe import TrainingRecord
from review.release.attached import FILES, Kept, kept
from review.store.bundles import bodies_of
from review.store.evaluations import report_of
from review.store.releases import attached_to, documents_of, version_of

ABSENT = {
    "model": "No model file is attached.",
    "data": "Nobody said what its version learned from.",
    "annotations": "Nobody said what its version learned from.",
    "report": "It was not evaluated yet.",
}
"""Why nothing is attached in a role."""
NO_RECIPE = "Nobody said how its version was trained."


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A part as the ledger names it."""

    name: str
    sha256: str = ""
    body: str | None = None
    """Its text, where the ledger itself keeps it; of others the artifact is looked at."""
    absent: str = ""
    """Why it is not there."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a release, as it was found."""

    name: str
    sha256: str
    kept: Kept | Literal["absent"]
    why: str
    """Why it is absent; empty where it is not."""


async def read_parts(r: ReadSession, model: ModelRow, release: ReleaseRow) -> tuple[Named, ...]:
    """Every part that a release has or could have."""
    version = await version_of(r, release)
    attached = [(each.role, each.sha256) for each in await attached_to(r, release.id)]
    report = await report_of(r, release.id)
    own = report.report if report is not None else None
    return (
        *_model(version, [digest for role, digest in attached if role == "model"]),
        *await _documents(r, model, release),
        *_attached("data", [digest for role, digest in attached if role == "data"]),
        *_attached("annotations", [digest for role, digest in attached if role == "annotations"]),
        *_attached("report", sorted((digest for role, digest in attached if role == "report"), key=lambda d: d != own)),
        *_recipe(version.recipe),
    )


async def look_at(artifacts: ObjectStore, named: Sequence[Named]) -> tuple[Part, ...]:
    """The parts with whether each is kept; reads whole files, so beside any transaction."""
    return tuple([await _look_at(artifacts, each) for each in named])


def _model(version: VersionRow, digests: Sequence[str]) -> Iterator[Named]:
    """The model file; or the description of where the version runs, under the digest that it has in a bundle."""
    upstream = described_upstream(version)
    if upstream is None:
        yield from _attached("model", digests)
    else:
        yield Named(name="Upstream", sha256=upstream.digest, body=upstream.description.decode())


def _attached(role: str, digests: Sequence[str]) -> Iterator[Named]:
    """What is attached in a role; of several reports the release's own comes first."""
    name = FILES[role].capitalize()
    if not digests:
        yield Named(name=name, absent=ABSENT[role])
    for place, digest in enumerate(digests):
        yield Named(name=name if place == 0 else f"Earlier {FILES[role]}", sha256=digest)


async def _documents(r: ReadSession, model: ModelRow, release: ReleaseRow) -> tuple[Named, ...]:
    """The documents; the card under the digest that it has in a bundle."""
    plan, bodies = (await documents_of(r, model, release)).release, await bodies_of(r, release)
    card = canonical(plan.card)
    return (
        Named(name="Card", sha256=_digest(card), body=card),
        Named(name="Policy", sha256=plan.policy_sha256, body=bodies.policy),
        Named(name="Label schema", sha256=plan.label_schema_sha256, body=bodies.label_schema),
        Named(name="Guideline", sha256=plan.guideline_sha256, body=bodies.guideline),
    )


def _recipe(body: str | None) -> Iterator[Named]:
    """How the version was trained; where that was here, with what ran and what it printed."""
    if body is None:
        yield Named(name="Recipe", absent=NO_RECIPE)
        return
    yield Named(name="Recipe", sha256=_digest(body), body=body)
    record = msgspec.json.decode(body, type=TrainingRecord)
    if record.run is not None:
        yield from (Named(name=f"Code: {file.path}", sha256=file.sha256) for file in record.recipe.files)
        yield Named(name="Log of the training", sha256=record.run.log)


async def _look_at(artifacts: ObjectStore, named: Named) -> Part:
    if named.absent:
        return Part(name=named.name, sha256="", kept="absent", why=named.absent)
    if named.body is None:
        found = await kept(artifacts, named.sha256)
    else:
        found = "kept" if _digest(named.body) == named.sha256 else "changed"
    return Part(name=named.name, sha256=named.sha256, kept=found, why="")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
