"""Adds a model file: admission in a child process, the artifact under its digest, a version and its release.

The first release of a model is founding: it serves at once, with all flags off, so that every request waits for a
person. A further one is made and waits for its trial.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError

from flags.definitions import state_from, with_model_flags
from flags.errors import FlagsChanged
from flags.names import of_model
from flags.store import Authorship, Proposal
from flags.validation import validated
from gateway.errors import BadRequest
from gateway.inference.admission import admit
from gateway.inference.machine import Machine, require_runs_here
from gateway.inference.report import AdmissionLimits, AdmissionReport
from gateway.inference.upstreams import Upstream
from gateway.record.objects import StoredObject
from gateway.record.payloads import ObjectStore
from gateway.registry.asking_room import ask_for_room
from gateway.registry.card import Card, card_warnings, parse_card
from gateway.registry.fitting import require_fit
from gateway.store.events import append_event
from gateway.store.flags import change_flags, current_state
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.models import (
    FOUNDED,
    NewVersion,
    add_model,
    add_release,
    add_version,
    found,
    keep_documents,
    lock_model,
)
from gateway.store.queues import ensure_default_queue
from gateway.store.schema.serves import AttachedRole, ModelRow

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
RESERVED = frozenset({"stats", "repository"})
_TRIES = 4
T = TypeVar("T")


class ModelNameRefused(BadRequest):
    """'{name}' cannot be the name of a model: use 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter or digit,
    and neither 'stats' nor 'repository'."""

    code = "model-name-refused"


class SignatureChanged(BadRequest):
    """This file's inputs and outputs differ from those of model '{model}': {difference}. Callers rely on them; add it
    as a model of its own."""

    code = "signature-changed"


class FileChanged(BadRequest):
    """The model file changed while it was looked at; add it again."""

    code = "model-file-changed"


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What adding a model file made."""

    model: str
    version: int
    release: str
    founding: bool
    artifact: str
    """The digest of the file; empty for an upstream."""
    warnings: tuple[str, ...]
    upstream: str = ""
    """Where it runs, if it does not run here."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that adding a model file made, in a transaction that still runs."""

    added: Added
    model: ModelRow
    release_id: UUID


class Adding(msgspec.Struct, frozen=True, kw_only=True):
    """A model file to be added, with its card's text and who adds it."""

    tenant_id: UUID
    name: str
    file: Path | None = None
    """None where the model runs elsewhere."""
    card: str
    by: str
    attached: Mapping[AttachedRole, str] = {}
    """What else belongs to its release, under its SHA-256: data and annotations that it was trained with."""
    recipe: str | None = None
    """How it was trained elsewhere, as JSON; none where nobody declares it."""
    overrides: str = "{}"
    """The overrides of its release, as JSON."""
    founded: str = FOUNDED
    """What the mark of a founding release says."""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A model file that was admitted and is stored."""

    adding: Adding
    card: Card
    report: AdmissionReport
    stored: StoredObject | None = None
    upstream: Upstream | None = None
    """Where it runs, if it does not run here; then nothing is stored."""
    machine: Machine = Machine()
    """What gateways have for it."""

    def version(self, at_us: int) -> NewVersion:
        """The version that it becomes."""
        return NewVersion(
            artifact=self.stored,
            upstream=self.upstream,
            card=self.card,
            signature=msgspec.json.encode(self.report.signature),
            report=msgspec.json.encode(self.report),
            by=self.adding.by,
            at_us=at_us,
            recipe=self.adding.recipe,
        )


async def add(
    ledger: Ledger,
    artifacts: ObjectStore,
    adding: Adding,
    limits: AdmissionLimits | None = None,
    machine: Machine | None = None,
) -> Added:
    """Admit a model file and make its version and release; the first one of a model serves from now on.

    Raises: ModelNameRefused, CardRefused, ProviderAbsent, TooManyThreads, AdmissionRefused, FileChanged,
    SignatureChanged, ModelsDoNotFit. Nothing is written unless all is well.
    """
    check_name(adding.name)
    admitted = await admit_into(artifacts, adding, parse_card(adding.card), limits, machine)
    return (await insisting(ledger, lambda w: write_admitted(w, admitted))).added


async def admit_into(
    artifacts: ObjectStore,
    adding: Adding,
    card: Card,
    limits: AdmissionLimits | None = None,
    machine: Machine | None = None,
) -> Admitted:
    """The model file, admitted and stored.

    Raises: ProviderAbsent, TooManyThreads, AdmissionRefused, CardRefused, FileChanged.
    """
    assert adding.file is not None
    machine = machine or Machine()
    require_runs_here(card.session, machine)
    report = await admit(adding.file, limits)
    require_fit(card, report)
    stored = await artifacts.put_file(adding.file)
    if stored.sha256 != report.sha256:
        raise FileChanged
    return Admitted(adding=adding, card=card, report=report, stored=stored, machine=machine)


async def insisting(ledger: Ledger, write: Callable[[WriteSession], Awaitable[T]]) -> T:
    """What a transaction that adds a model file came to, where others may add at the same moment."""
    for _ in range(_TRIES - 1):
        # Somebody may add the same model, or change flags, at the same moment: the next try meets what they wrote.
        with suppress(IntegrityError, FlagsChanged):
            async with ledger.writing() as w:
                return await write(w)
    async with ledger.writing() as w:
        return await write(w)


def check_name(name: str) -> None:
    """Return if this may be a model's name. Raises: ModelNameRefused."""
    if not MODEL_NAME.fullmatch(name) or name in RESERVED:
        raise ModelNameRefused(name=name[:80])


async def write_admitted(w: WriteSession, admitted: Admitted) -> Written:
    """Write version and release in the running transaction; a model's first one serves.

    Raises: SignatureChanged, ModelsDoNotFit.
    """
    adding, new = admitted.adding, admitted.version(await w.now_us())
    tenant_id, name = adding.tenant_id, adding.name
    model = await lock_model(w, tenant_id, name)
    founding = model is None
    if model is None:
        model = await add_model(w, tenant_id, name, new)
    require_signature(model, new.signature)
    version = await add_version(w, model, new)
    parts = await keep_documents(w, new.card, new.at_us)
    release = await add_release(
        w, version, parts, new.by, new.at_us, attached=adding.attached, overrides=adding.overrides
    )
    added = Added(
        model=model.name,
        version=version.number,
        release=f"{model.name}@{release.number}",
        founding=founding,
        artifact=new.artifact.sha256 if new.artifact is not None else "",
        upstream=new.upstream.address if new.upstream is not None else "",
        warnings=(*admitted.report.warnings, *card_warnings(new.card)),
    )
    await _tell(w, model, added, new)
    if founding:
        await ensure_default_queue(w, tenant_id, new.by)
        await _make_flags(w, model, new)
        await found(w, model, release, new.by, new.at_us, why=adding.founded)
        await ask_for_room(w, admitted.machine.memory_max_bytes, tenant_id, name, release.id)
    return Written(added=added, model=model, release_id=release.id)


async def _tell(w: WriteSession, model: ModelRow, added: Added, new: NewVersion) -> None:
    data: dict[str, object] = {"version": added.version, "release": added.release, "artifact": added.artifact}
    data |= {"upstream": added.upstream} if added.upstream else {}
    subject = f"model:{model.name}"
    await append_event(w, "version.added", subject, data, by=new.by, tenant_id=model.tenant_id, at_us=new.at_us)


def require_signature(model: ModelRow, signature: bytes) -> None:
    """Return if names, datatypes and shapes are what callers were told at first. Raises: SignatureChanged."""
    first, now = msgspec.json.decode(model.signature), msgspec.json.decode(signature)
    for side in ("inputs", "outputs"):
        if first[side] != now[side]:
            raise SignatureChanged(model=model.name, difference=f"the {side} were {_shown(first[side])}")


def _shown(specs: list[dict[str, object]]) -> str:
    return ", ".join(f"{spec['name']} {spec['datatype']}{spec['shape']}" for spec in specs)


async def _make_flags(w: WriteSession, model: ModelRow, new: NewVersion) -> None:
    """The model's three flags, all off; an Unleash server's flags are made there, and are off until then."""
    if not w.flags.embedded:
        return
    current = await current_state(w)
    names = of_model(model.name)
    proposal = Proposal(
        expected_version=current.version,
        body=validated(with_model_flags(state_from(current.body), model.name)),
        flags=(names.automated, names.shadow, names.candidate),
        authorship=Authorship(by=new.by, why=f"Model {model.name} was added; its flags begin off.", at_us=new.at_us),
    )
    await change_flags(w, model.tenant_id, proposal)
