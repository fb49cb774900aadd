"""The servers of the tests themselves: they answer, they can be taken away, and they leave nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis as Client

from tests.servers.postgres import Postgres
from tests.servers.process import Process, accepts, until
from tests.servers.redis import Redis
from tests.servers.unleash import EndedByItself, Unleash


async def ask(url: str) -> int:
    """The answer of a database to a question it can answer."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=5)
    try:
        answer: int = await connection.fetchval("SELECT 41 + 1")
    finally:
        await connection.close()
    return answer


async def test_each_test_has_a_database_of_its_own(postgres_url: str) -> None:
    """A fresh database answers and holds no table."""
    assert await ask(postgres_url) == 42


async def test_a_stopped_postgres_refuses_and_a_started_one_answers_again(postgres_server: Postgres) -> None:
    """PostgreSQL can be taken away, by a stop and by a crash, and brought back at the same address."""
    for take_away in (postgres_server.stop, postgres_server.kill):
        take_away()
        with pytest.raises(ConnectionRefusedError):
            await ask(postgres_server.url)
        postgres_server.start()
        assert await ask(postgres_server.url) == 42


async def test_a_paused_postgres_is_silent(postgres_server: Postgres) -> None:
    """A paused PostgreSQL keeps its connections and answers nothing until it is resumed."""
    connection = await asyncpg.connect(postgres_server.url.replace("+asyncpg", ""))
    postgres_server.pause()
    with pytest.raises(TimeoutError):
        await connection.fetchval("SELECT 1", timeout=0.2)
    postgres_server.resume()
    await connection.close(timeout=5)
    assert await ask(postgres_server.url) == 42


async def test_redis_is_empty_for_each_test(redis_url: str) -> None:
    """A test finds no key of an earlier one."""
    async with Client.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("left", "behind")


test_redis_is_empty_again = test_redis_is_empty_for_each_test


async def test_a_killed_redis_comes_back_empty(redis_server: Redis) -> None:
    """Redis can be taken away and brought back at the same address, and has forgotten everything."""
    async with Client.from_url(redis_server.url) as client:
        await client.set("a", "b")
    redis_server.kill()
    assert not accepts(redis_server.port)
    redis_server.start()
    async with Client.from_url(redis_server.url) as client:
        assert await client.dbsize() == 0


def test_a_server_does_not_outlive_a_killed_test_run(tmp_path: Path) -> None:
    """A child started by a run that is killed ends by itself."""
    pid_file = tmp_path / "pid"
    script = (
        "import sys, time; from pathlib import Path; from tests.servers.process import Process\n"
        "p = Process(['sleep', '600'], Path(sys.argv[1]).with_name('log')); p.start()\n"
        "Path(sys.argv[1]).write_text(str(p.pid)); time.sleep(600)"
    )
    run = subprocess.Popen([sys.executable, "-c", script, pid_file], cwd=Path(__file__).parents[3])
    until(lambda: pid_file.exists() and pid_file.read_text() != "", "the child's number")
    child = int(pid_file.read_text())
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, "its end", 10)


def test_a_child_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """Waiting for a process that has ended fails with the end of its log."""
    process = Process(["sh", "-c", "echo cannot go on; exit 3"], tmp_path / "log")
    process.start()
    with pytest.raises(RuntimeError, match="cannot go on"):
        process.wait_until(lambda: False, "never")
    assert process.stop() == 3


def test_an_unleash_that_ends_by_itself_is_started_again_and_named(
    shared_unleash: Unleash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that its end breaks off is made again; its exit status is told, and what it showed is gone."""
    shared_unleash.admin.create("left")
    emptied = shared_unleash.admin.clear

    def emptied_too_late() -> None:
        monkeypatch.undo()
        os.kill(shared_unleash.pid, signal.SIGKILL)
        emptied()

    monkeypatch.setattr(shared_unleash.admin, "clear", emptied_too_late)
    with pytest.warns(EndedByItself, match=r"ended with -9"):
        shared_unleash.renew()
    assert shared_unleash.running
    assert shared_unleash.flags() == set()
