"""Sessions live as long as somebody holds them."""

import asyncio
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from gateway.inference.cache import SessionCache
from gateway.inference.errors import ArtifactDamaged, ModelNotLoadable, ProviderAbsent
from gateway.inference.session import INLINE_MAX_US
from gateway.inference.wish import SessionWish, session_key
from tests import models


@pytest.fixture
def artifact(tmp_path: Path) -> tuple[str, Path]:
    """A model file and its digest."""
    return stored(tmp_path, models.softmax())


def stored(folder: Path, model: bytes) -> tuple[str, Path]:
    """The model as a file named by its digest."""
    digest = sha256(model).hexdigest()
    path = folder / digest
    path.write_bytes(model)
    return digest, path


async def test_a_session_is_opened_warm(artifact: tuple[str, Path]) -> None:
    """What the cache gives out has been run already, so its cost is known."""
    session = await SessionCache().acquire(*artifact)
    assert 0 < session.cost.of(1) < INLINE_MAX_US


async def test_those_who_ask_together_share_one_open(artifact: tuple[str, Path]) -> None:
    """Ten plans that open the same artifact at once hold the same session."""
    cache = SessionCache()
    sessions = await asyncio.gather(*(cache.acquire(*artifact) for _ in range(10)))
    assert len(set(map(id, sessions))) == 1
    assert cache.open_digests() == {artifact[0]}


async def test_the_last_release_closes(artifact: tuple[str, Path]) -> None:
    """A session outlives every holder but the last, and its thread ends with it."""
    cache = SessionCache()
    session = await cache.acquire(*artifact)
    await cache.acquire(*artifact)
    cache.release(artifact[0])
    assert cache.open_digests() == {artifact[0]}
    cache.release(artifact[0])
    assert cache.open_digests() == frozenset()
    with pytest.raises(RuntimeError, match="shutdown"):
        session.in_thread(session.run, {"x": np.zeros((1, 4), np.float32)})


async def test_a_closed_artifact_can_be_opened_again(artifact: tuple[str, Path]) -> None:
    """After the last release the next acquire opens anew."""
    cache = SessionCache()
    async with cache.holding(*artifact) as first:
        pass
    async with cache.holding(*artifact) as second:
        assert second is not first
        assert second.run({"x": np.zeros((1, 4), np.float32)})["probabilities"].shape == (1, 3)


async def test_a_failed_open_leaves_nothing_behind(tmp_path: Path) -> None:
    """Everybody who waited is told, and the next acquire tries again."""
    cache = SessionCache()
    digest, path = stored(tmp_path, models.softmax())
    hidden = path.rename(tmp_path / "hidden")
    failed = await asyncio.gather(*(cache.acquire(digest, path) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [ModelNotLoadable] * 3
    assert cache.open_digests() == frozenset()
    hidden.rename(path)
    assert await cache.acquire(digest, path)


async def test_a_file_that_is_not_what_its_name_says_is_refused(artifact: tuple[str, Path]) -> None:
    """A changed artifact is never served."""
    digest, path = artifact
    path.write_bytes(models.add_sub())
    with pytest.raises(ArtifactDamaged):
        await SessionCache().acquire(digest, path)


async def test_an_impatient_holder_leaves_the_session_to_the_others(artifact: tuple[str, Path]) -> None:
    """Cancelling one of two who wait for an open does not cancel the open."""
    cache = SessionCache()
    impatient, patient = (asyncio.create_task(cache.acquire(*artifact)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient
    cache.release(artifact[0])
    assert cache.open_digests() == frozenset()


async def test_an_open_that_nobody_waits_for_is_closed(artifact: tuple[str, Path]) -> None:
    """When the only one who asked is cancelled, nothing stays open."""
    cache = SessionCache()
    asking = asyncio.create_task(cache.acquire(*artifact))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert cache.open_digests() == frozenset()


async def test_what_a_card_wants_makes_a_session_of_its_own(artifact: tuple[str, Path]) -> None:
    """The same file with other threads is another session; each is given back by its own name."""
    cache, wish = SessionCache(), SessionWish(threads=2)
    plain, special = await cache.acquire(*artifact), await cache.acquire(*artifact, wish)
    assert plain is not special
    assert await cache.acquire(*artifact, wish) is special
    for key in (artifact[0], session_key(artifact[0], wish), session_key(artifact[0], wish)):
        cache.release(key)
    assert cache.open_digests() == frozenset()


async def test_a_provider_that_the_machine_has_not_got_leaves_nothing_open(artifact: tuple[str, Path]) -> None:
    """The refusal names it, and the file can be opened as another card wants it."""
    cache = SessionCache()
    with pytest.raises(ProviderAbsent):
        await cache.acquire(*artifact, SessionWish(providers=("tensorrt",)))
    assert cache.open_digests() == frozenset()
    assert (await cache.acquire(*artifact, SessionWish(providers=("tensorrt", "cpu")))).provider == "cpu"
