"""The object store's suite, for every implementation of the port."""

import hashlib
from pathlib import Path

import pytest

from gateway.record.errors import DamagedObject, InvalidDigest, UnknownObject, UnsupportedObjects
from gateway.record.payloads import LocalObjects, MemoryObjects, ObjectStore, open_objects

DATA = b"a sentence that somebody wrote"
DIGEST = hashlib.sha256(DATA).hexdigest()
NO_DIGESTS = [
    "",
    "..",
    "../../etc/passwd",
    DIGEST[:-1],
    DIGEST.upper(),
    DIGEST + "\n",
    "/" + DIGEST[1:],
    "0" * 62 + "/.",
]


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return LocalObjects(tmp_path / "objects") if request.param == "directory" else MemoryObjects(tmp_path)


async def test_bytes_come_back_under_their_digest(store: ObjectStore) -> None:
    """What was put is read back by its SHA-256, with its size."""
    stored = await store.put(DATA)
    assert (stored.sha256, stored.bytes) == (DIGEST, len(DATA))
    assert await store.get(DIGEST) == DATA
    assert await store.verify(DIGEST) == stored


async def test_putting_twice_is_putting_once(store: ObjectStore) -> None:
    """The second put of equal bytes changes nothing."""
    assert await store.put(DATA) == await store.put(DATA)
    assert await store.delete(DIGEST)
    assert not await store.has(DIGEST)


async def test_a_file_is_kept_as_its_bytes_are(store: ObjectStore, tmp_path: Path) -> None:
    """A file put by its path is the same object, and is found again as a local file."""
    source = tmp_path / "model.onnx"
    source.write_bytes(DATA)
    assert (await store.put_file(source)).sha256 == DIGEST
    assert (await store.local_path(DIGEST)).read_bytes() == DATA


async def test_what_is_deleted_is_unknown(store: ObjectStore) -> None:
    """Erasure leaves nothing behind, and erasing again says that there was nothing."""
    await store.put(DATA)
    assert await store.delete(DIGEST)
    assert not await store.delete(DIGEST)
    for ask in (store.get, store.verify, store.local_path):
        with pytest.raises(UnknownObject):
            await ask(DIGEST)


@pytest.mark.parametrize("name", NO_DIGESTS)
async def test_only_digests_are_names(store: ObjectStore, name: str) -> None:
    """Nothing but 64 lower-case hexadecimal digits ever reaches the file system."""
    for ask in (store.get, store.has, store.local_path, store.verify, store.delete):
        with pytest.raises(InvalidDigest):
            await ask(name)


async def test_damage_is_told_and_healed_by_the_next_put(tmp_path: Path) -> None:
    """An object whose bytes changed is refused when read, and replaced when its bytes are put again."""
    store = LocalObjects(tmp_path)
    await store.put(DATA)
    path = await store.local_path(DIGEST)
    path.chmod(0o640)
    path.write_bytes(DATA[::-1])
    for ask in (store.get, store.verify):
        with pytest.raises(DamagedObject):
            await ask(DIGEST)
    await store.put(DATA)
    assert await store.get(DIGEST) == DATA


async def test_a_link_is_no_object(tmp_path: Path) -> None:
    """A link planted under a digest's name is not followed."""
    secret = tmp_path / "secret"
    secret.write_bytes(DATA)
    store = LocalObjects(tmp_path / "objects")
    (tmp_path / "objects" / DIGEST[:2]).mkdir(parents=True)
    (tmp_path / "objects" / DIGEST[:2] / DIGEST[2:]).symlink_to(secret)
    assert not await store.has(DIGEST)
    with pytest.raises(UnknownObject):
        await store.local_path(DIGEST)
    with pytest.raises((OSError, UnknownObject)):
        await store.get(DIGEST)


async def test_half_made_files_are_swept_and_never_seen(tmp_path: Path) -> None:
    """What a killed writer left is no object and disappears after a while."""
    store = LocalObjects(tmp_path)
    await store.put(DATA)
    (tmp_path / "tmp" / "left-over").write_bytes(DATA[:5])
    assert list(store.directory.digests()) == [DIGEST]
    assert await store.sweep(0) == 0
    assert await store.sweep(1 << 60) == 1
    assert await store.get(DIGEST) == DATA


async def test_sweeping_leaves_what_is_whole(store: ObjectStore) -> None:
    """However late it is, nothing that has its name goes; a store that never was written to is swept, too."""
    assert await store.sweep(1 << 60) == 0
    await store.put(DATA)
    assert await store.sweep(1 << 60) == 0
    assert await store.get(DIGEST) == DATA


def test_a_url_chooses_the_store(tmp_path: Path) -> None:
    """A path and a file URL are directories; anything else is refused by its scheme."""
    for url in (str(tmp_path), tmp_path.as_uri()):
        store = open_objects(url)
        assert isinstance(store, LocalObjects)
        assert store.directory.root == tmp_path
    with pytest.raises(UnsupportedObjects, match="'ftp:'"):
        open_objects("ftp://elsewhere/objects")
