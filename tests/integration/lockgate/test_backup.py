"""Backup and restore: what was kept comes back byte for byte, on either database, and nothing damaged is restored."""

import io
import tarfile
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from gateway.record.payloads import LocalObjects
from gateway.store.dump import dump_rows, tables
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.schema.serves import ReleaseRow
from lockgate.archive import MANIFEST, Manifest, verify_archive
from lockgate.backups import back_up, restore
from lockgate.errors import BackupDamaged, CommandError, PlaceNotEmpty
from lockgate.presence import present
from lockgate.settings import Settings
from tests.worlds import build_world, hold


async def rows_of(ledger_url: str) -> dict[str, list[bytes]]:
    """Every row of a ledger, by table."""
    ledger = Ledger.open(ledger_url)
    try:
        async with ledger.reading() as r:
            return {table.name: [line async for line in dump_rows(r, table)] for table in tables()}
    finally:
        await ledger.close()


def files_of(settings: Settings) -> dict[str, bytes]:
    """Every file that is kept beside the ledger, by its place in the data directory."""
    root = settings.data_directory
    found = (path for name in ("artifacts", "objects", "traffic") for path in (root / name).rglob("*"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if path.is_file()}


async def lived_in(ledger_url: str, folder: Path) -> Settings:
    """A Lockgate in which something has happened: a model with releases, holds, payloads, traffic."""
    settings = Settings(data_directory=folder, database_url=ledger_url)
    ledger = Ledger.open(ledger_url)
    try:
        async with ledger.writing() as w:
            world = await build_world(w)
            await hold(w, world)
            await hold(w, world)
            await _add_child_release(w)
    finally:
        await ledger.close()
    await LocalObjects(settings.artifacts).put(b"a model")
    await LocalObjects(folder / "objects").put(b"a payload")
    (settings.traffic / "open").mkdir(parents=True)
    (settings.traffic / "open" / "gateway-1.x.000001.seg").write_bytes(b"entries")
    return settings


async def _add_child_release(w: WriteSession) -> None:
    """A release whose id comes before its parent's, so that the order of ids is not the order of restoring."""
    parent = (await w.execute(select(ReleaseRow))).scalars().first()
    assert parent is not None
    copied = {column.name: getattr(parent, column.name) for column in ReleaseRow.__table__.columns}
    child = {"id": UUID(int=1), "number": parent.number + 1, "parent_id": parent.id}
    await w.execute(insert(ReleaseRow).values(copied | child))


async def backed_up(settings: Settings, path: Path) -> Manifest:
    """A backup of what is there."""
    ledger = Ledger.open(settings.ledger_url)
    try:
        return await back_up(settings, ledger, path)
    finally:
        await ledger.close()


async def test_a_backup_restored_elsewhere_is_equal_row_by_row_and_byte_by_byte(
    ledger_url: str, empty_ledger_url: str, tmp_path: Path
) -> None:
    """From each database to each: every table and every file is as it was."""
    settings = await lived_in(ledger_url, tmp_path / "one")
    manifest = await backed_up(settings, tmp_path / "backup.tar")
    other = Settings(data_directory=tmp_path / "two", database_url=empty_ledger_url)
    assert await restore(other, tmp_path / "backup.tar") == manifest
    assert await rows_of(empty_ledger_url) == await rows_of(ledger_url)
    assert files_of(other) == files_of(settings)
    assert manifest.rows["case"] == 2
    with pytest.raises(PlaceNotEmpty):
        await restore(other, tmp_path / "backup.tar")


async def test_a_backup_is_restored_only_into_an_empty_ledger(sqlite_ledger_url: str, tmp_path: Path) -> None:
    """A database in which something has happened is refused, even where the data directory is empty."""
    settings = await lived_in(sqlite_ledger_url, tmp_path / "one")
    await backed_up(settings, tmp_path / "backup.tar")
    with pytest.raises(PlaceNotEmpty):
        await restore(
            Settings(data_directory=tmp_path / "two", database_url=sqlite_ledger_url), tmp_path / "backup.tar"
        )


def damage(path: Path, change: str) -> None:
    """Write the backup anew with one thing changed: a member's bytes or its absence, or the manifest's schema."""
    with tarfile.open(path) as tar:
        members = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    if change == "bytes":
        members["ledger/model.jsonl"] = members["ledger/model.jsonl"].replace(b"sentiment", b"Sentiment")
    elif change == "schema":
        members[MANIFEST] = members[MANIFEST].replace(b'"schema": "', b'"schema": "9')
    else:
        del members[change]
    with tarfile.open(path, "w") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))


DAMAGE = {
    "bytes": "ledger/model.jsonl is missing or was changed",
    "ledger/case.jsonl": "ledger/case.jsonl is missing or was changed",
    MANIFEST: "its manifest is missing",
    "schema": "it was made at schema",
}


@pytest.mark.parametrize("change", DAMAGE)
async def test_a_damaged_backup_names_what_is_wrong_and_restores_nothing(
    change: str, sqlite_ledger_url: str, tmp_path: Path
) -> None:
    """Every part is compared with its digest before anything is written."""
    settings = await lived_in(sqlite_ledger_url, tmp_path / "one")
    await backed_up(settings, tmp_path / "backup.tar")
    damage(tmp_path / "backup.tar", change)
    other = Settings(data_directory=tmp_path / "two")
    with pytest.raises(BackupDamaged, match=DAMAGE[change]):
        await restore(other, tmp_path / "backup.tar")
    assert not (tmp_path / "two" / "ledger.db").exists()


async def test_a_truncated_backup_is_no_backup(sqlite_ledger_url: str, tmp_path: Path) -> None:
    """A copy that broke off is named as such."""
    settings = await lived_in(sqlite_ledger_url, tmp_path / "one")
    await backed_up(settings, tmp_path / "backup.tar")
    whole = (tmp_path / "backup.tar").read_bytes()
    (tmp_path / "backup.tar").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(CommandError):
        verify_archive(tmp_path / "backup.tar")


async def test_nothing_is_restored_beside_a_running_process(sqlite_ledger_url: str, tmp_path: Path) -> None:
    """A process that works on the data directory keeps a restore out."""
    settings = await lived_in(sqlite_ledger_url, tmp_path / "one")
    await backed_up(settings, tmp_path / "backup.tar")
    with present(tmp_path / "two"), pytest.raises(CommandError, match="stop it first"):
        await restore(Settings(data_directory=tmp_path / "two"), tmp_path / "backup.tar")
