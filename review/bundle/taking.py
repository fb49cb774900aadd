"""Takes the bundle of a release: one archive, built beside the loop, with the event that says who took it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import msgspec

from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.bundle.archive import CHUNK_BYTES, write_archive
from review.bundle.contents import Contents, contents_of
from review.bundle.errors import BundleIncomplete
from review.errors import NotAllowed
from review.release.attached import attachment_faults
from review.release.errors import NoSuchRelease
from review.store.releases import attached_to, find_release

READERS = ("operator", "auditor")
"""Whose the bundle of a release is: it holds what people said, and every file of the model."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was written; its file has no name and is gone once it is closed."""

    release: str
    bundle: str
    """The SHA-256 of its manifest."""
    size: int
    file: BinaryIO


async def take(ledger: Ledger, artifacts: LocalObjects, actor: Actor, name: str, number: int, folder: Path) -> Taken:
    """The bundle of a release, written in a folder of this machine.

    Raises: UnknownModel, NotAllowed, NoSuchRelease, BundleIncomplete.
    """
    async with ledger.reading() as r:
        model = await known_model(r, actor.tenant_id, name)
        require_reader(actor, model)
        release = await find_release(r, model.id, number)
        if release is None:
            raise NoSuchRelease(model=name, release=number)
        attached = await attached_to(r, release.id)
        try:
            contents = await contents_of(r, artifacts, model, release)
        except (UnknownObject, DamagedObject) as error:
            raise BundleIncomplete(release=f"{name}@{number}", faults=str(error)) from error
    file = cast("BinaryIO", await asyncio.to_thread(TemporaryFile, prefix="bundle-", dir=folder))
    try:
        bundle = await asyncio.to_thread(write_archive, file, contents, artifacts.directory)
    except (UnknownObject, DamagedObject) as error:
        file.close()
        faults = " ".join(await attachment_faults(artifacts, attached)) or str(error)
        raise BundleIncomplete(release=contents.manifest.release, faults=faults) from error
    taken = Taken(release=contents.manifest.release, bundle=bundle, size=file.tell(), file=file)
    await _tell(ledger, actor, model, taken, contents)
    return taken


def require_reader(actor: Actor, model: ModelRow) -> None:
    """Return if they may have everything of a model's releases. Raises: NotAllowed."""
    if actor.kind == "person" and not any(actor.may(role, model.id) for role in READERS):
        raise NotAllowed(role=" or ".join(READERS))


async def pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    """The file from its beginning, some of it at a time, read beside the loop; closed in the end."""
    try:
        await asyncio.to_thread(file.seek, 0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()


async def _tell(ledger: Ledger, actor: Actor, model: ModelRow, taken: Taken, contents: Contents) -> None:
    data = {
        "release": taken.release, "bundle": taken.bundle, "bytes": taken.size,
        "files": len(contents.manifest.files), "absent": [each.role for each in contents.manifest.absent],
    }  # fmt: skip
    async with ledger.writing() as w:
        subject, at_us = f"model:{model.name}", await w.now_us()
        await append_event(w, "release.bundled", subject, data, by=actor.by, tenant_id=model.tenant_id, at_us=at_us)
