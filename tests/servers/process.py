"""A child process that ends with the tests, and that can be stopped, killed, paused and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from typing import IO

import psutil

TETHER = Path(__file__).with_name("tether.py")
# Below the range from which systems take the ports of outgoing connections.
PORTS = range(15_000, 32_000)


class MissingPart(Exception):
    """A server that tests need is not on this machine; the text says what to install."""


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    random = SystemRandom()
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; TimeoutError, naming what was awaited, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {seconds:.0f} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.01)


class Process:
    """A command that runs until `stop`, `kill` or the end of the tests, whichever comes first."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: int | None = None,
        ending: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self.environment = dict(os.environ if environment is None else environment)
        self.folder = folder
        self.user = user
        self.ending = ending
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        assert self._child is not None, "the process was never started"
        return self._child.pid

    def start(self) -> None:
        """Start the command; its output is appended to the log."""
        assert not self.running, "the process is already running"
        self.stop()  # which closes what one that ended by itself has left open
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._child = self._spawn(log)

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        user = "-" if self.user is None else str(self.user)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(TETHER), self.ending.name, str(os.getpid()), user, *self.command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
        )

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Ask the command to end with the signal `how`, and kill it if it has not in time; the exit status."""
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.send_signal(how)
        return self._collect(seconds)

    def kill(self) -> None:
        """End the command at once, as a crash does."""
        self.stop(signal.SIGKILL)

    def _collect(self, seconds: float) -> int:
        assert self._child is not None
        try:
            status = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            status = self._child.wait()
        if self._child.stdin is not None:
            self._child.stdin.close()
        return status

    def pause(self) -> None:
        """Freeze the command and its children: they accept connections and never answer."""
        for process in self._family():
            process.suspend()

    def resume(self) -> None:
        """Let the frozen processes go on."""
        for process in self._family():
            process.resume()

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Return as soon as the condition holds; an error with the end of the log when the command ends before that."""
        try:
            until(lambda: condition() or not self.running, what, seconds)
        except TimeoutError:
            self.kill()
            raise
        if not self.running:
            self.stop()  # which closes what it left open, so that no later test stumbles over it
            message = f"ended before {what}: {self.tail()}"
            raise RuntimeError(message)

    def said(self, text: str) -> bool:
        """Whether the log holds the text since the latest start."""
        return text.encode() in self.log.read_bytes()[self._log_start :]

    def tail(self, characters: int = 2000) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-characters:]
