"""Backup while everything runs, and restore into an empty place, from and to either database.

The order makes the parts fit: first the open traffic, then one view of the ledger, then what the ledger names. What was
sealed in between is in the backup twice, and the ledger says which of the two counts.
"""

import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from gateway.store.dump import count_rows, dump_rows, empty_tenants, in_batches, load_rows, tables
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.migrate import current, upgrade
from gateway.store.revisions import head
from gateway.times import now_us
from lockgate.archive import (
    CHUNK_BYTES,
    FORMAT,
    ArchiveWriter,
    Manifest,
    open_member,
    safe_name,
    verify_archive,
    writing_archive,
)
from lockgate.errors import BackupDamaged, PlaceNotEmpty
from lockgate.presence import alone
from lockgate.progress import Advance, progress
from lockgate.settings import Settings

LEDGER = "ledger"
FOLDERS = ("traffic", "artifacts", "objects")
"""What is kept below the data directory, beside the ledger."""


async def back_up(settings: Settings, ledger: Ledger, path: Path) -> Manifest:
    """Write a backup to `path`; what it holds. Raises: LedgerUnavailable, OSError."""
    folders = {name: _folder(settings, name) for name in FOLDERS}
    files = {name: list(_files(folder)) for name, folder in folders.items()}
    total = sum(path.stat().st_size for paths in files.values() for path in paths)
    schema = await current(settings.ledger_url)
    with writing_archive(path) as archive, progress("Backing up", total) as advance:
        _add_files(archive, "traffic", folders["traffic"], advance, only="open")
        rows = await _add_ledger(archive, ledger, path.parent)
        _add_files(archive, "traffic", folders["traffic"], advance, only="sealed")
        for name in FOLDERS[1:]:
            _add_files(archive, name, folders[name], advance)
        manifest = Manifest(
            format=FORMAT,
            made_us=now_us(),
            lockgate=version("lockgate"),
            schema=schema,
            rows=rows,
            members=tuple(archive.members),
        )
        archive.finish(manifest)
    return manifest


async def restore(settings: Settings, path: Path) -> Manifest:
    """Restore a backup into empty places; what it held.

    Raises: BackupDamaged, UnreadableFile, PlaceNotEmpty, StillRunning, LedgerUnavailable.
    """
    manifest = verify_archive(path)
    if manifest.schema != head():
        why = f"it was made at schema {manifest.schema}, and this release has {head()}"
        raise BackupDamaged(path=path, why=f"{why}: restore it with the release that made it, then migrate")
    with alone(settings.data_directory), tarfile.open(path, "r:") as tar:
        for name in FOLDERS:
            if any(_files(_folder(settings, name))):
                raise PlaceNotEmpty(place=_folder(settings, name))
        await _restore_ledger(settings, tar, manifest)
        _restore_files(settings, tar, manifest)
    return manifest


def _folder(settings: Settings, name: str) -> Path:
    """Where the files of a kind lie."""
    if name == "objects":
        from gateway.record.payloads import LocalObjects, open_objects

        store = open_objects(settings.payloads_url)
        assert isinstance(store, LocalObjects)
        return store.directory.root
    return settings.traffic if name == "traffic" else settings.artifacts


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order, that is not half made."""
    if folder.exists():
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        yield from (path for path in found if "tmp" not in path.relative_to(folder).parts)


def _add_files(archive: ArchiveWriter, kind: str, folder: Path, advance: Advance, *, only: str = "") -> None:
    """Add the files of a folder; one that was removed since it was listed is left out."""
    for path in _files(folder / only):
        name = f"{kind}/{path.relative_to(folder).as_posix()}"
        try:
            archive.add(name, path)
        except FileNotFoundError:
            continue
        advance(archive.members[-1].bytes)


async def _add_ledger(archive: ArchiveWriter, ledger: Ledger, folder: Path) -> dict[str, int]:
    """Add every table as it was at one moment; how many rows each has."""
    rows: dict[str, int] = {}
    async with ledger.reading() as r:
        for table in tables():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".lockgate-backup-") as file:
                rows[table.name] = 0
                async for line in dump_rows(r, table):
                    file.write(line)
                    rows[table.name] += 1
                file.flush()
                archive.add(f"{LEDGER}/{table.name}.jsonl", Path(file.name))
    return rows


async def _restore_ledger(settings: Settings, tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Load every table in one transaction, so that a restore that fails leaves an empty ledger."""
    await upgrade(settings.ledger_url)
    ledger = Ledger.open(settings.ledger_url)
    try:
        async with ledger.writing() as w:
            await _check_empty(settings, w)
            await empty_tenants(w)
            for table in tables():
                lines = open_member(tar, f"{LEDGER}/{table.name}.jsonl")
                loaded = [await load_rows(w, table, batch) for batch in in_batches(table, lines)]
                assert sum(loaded) == manifest.rows[table.name]
    finally:
        await ledger.close()


async def _check_empty(settings: Settings, w: WriteSession) -> None:
    """Return if the ledger has nothing but its first tenant. Raises: PlaceNotEmpty."""
    for table in tables():
        if await count_rows(w, table) > int(table.name == "tenant"):
            place = settings.data_directory if settings.embedded else "The database"
            raise PlaceNotEmpty(place=place)


def _restore_files(settings: Settings, tar: tarfile.TarFile, manifest: Manifest) -> None:
    total = sum(member.bytes for member in manifest.members)
    with progress("Restoring", total) as advance:
        for member in manifest.members:
            kind, *rest = safe_name(member.name).parts
            if kind in FOLDERS:
                _restore_file(tar, member.name, _folder(settings, kind).joinpath(*rest), advance)


def _restore_file(tar: tarfile.TarFile, name: str, target: Path, advance: Advance) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = open_member(tar, name)
    with target.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            file.write(chunk)
            advance(len(chunk))
