"""The servers that are measured: Lockgate with everything on, the bare prototype, the server most teams write."""

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import onnxruntime as ort
import psutil

from tests.bench.load import LOADER, SECONDS, SERVER, Endpoint, Pair, kept_to, request
from tests.bench.subjects import Content, Subject
from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.plain import running_plain
from tests.servers.process import accepts, free_port, until

MIB = 2**20


@dataclass(frozen=True)
class Site:
    """A running Lockgate, and the key of a service."""

    server: Lockgate
    key: str

    def endpoint(self, subject: Subject, content: Content) -> Endpoint:
        """Where requests for a model go, and one of them."""
        body, headers = content
        path = f"/v2/models/{subject.name}/infer"
        return Endpoint(self.server.port, request(path, body, headers | {"Authorization": f"Bearer {self.key}"}))

    def add(self, subject: Subject) -> None:
        """Add a version of the model."""
        folder = self.server.folder
        (folder / "model.onnx").write_bytes(subject.file)
        (folder / "model.toml").write_text(subject.card, encoding="utf-8")
        self.server.run("models", "add", subject.name, "model.onnx", "--card", "model.toml")

    def flag(self, name: str, state: str) -> None:
        """Switch a flag."""
        self.server.run("flags", state, name, "--why", "bench")

    @property
    def gateways(self) -> list[psutil.Process]:
        """Its gateway processes."""
        found = sorted(self.server.processes().items())
        return [psutil.Process(pid) for name, pid in found if name.startswith("gateway")]

    def memory_mib(self) -> float:
        """What its gateways keep in memory."""
        return float(sum(each.memory_info().rss for each in self.gateways)) / MIB

    def counted(self, metric: str) -> float:
        """The sum of a metric's lines that match a pattern."""
        lines = httpx.get(f"{self.server.monitor_url}/metrics", timeout=10).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(metric, line))

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Frozen, so that what it has still to do after a load is not done while another server is measured."""
        self.server.process.pause()
        try:
            yield
        finally:
            self.server.process.resume()

    def answers(self, subject: Subject) -> bool:
        """Whether the model answers by itself."""
        headers = {"Authorization": f"Bearer {self.key}", "Prefer": "respond-async", "Connection": "close"}
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
            connection.request("POST", f"/v2/models/{subject.name}/infer", subject.json()[0], headers)
            return connection.getresponse().status == HTTPStatus.OK
        return False


@contextlib.contextmanager
def lockgate(*subjects: Subject, processors: tuple[int, ...] = (SERVER,), gateways: int = 1) -> Iterator[Site]:
    """A Lockgate on the server's processor whose models answer by themselves."""
    with (
        tempfile.TemporaryDirectory(prefix="lockgate-bench-", ignore_cleanup_errors=True) as name,
        kept_to(*processors),
        running_lockgate(Path(name), log_level="warning", gateways=gateways) as server,
    ):
        with kept_to(SERVER, LOADER):  # where the commands run
            site = founded(server, subjects)
        yield site


def founded(server: Lockgate, subjects: tuple[Subject, ...]) -> Site:
    """The site once it has its models, and all of them answer."""
    site = Site(server, server.json("keys", "add", "bench", "--scope", "predict:*")["key"])
    for subject in subjects:
        site.add(subject)
        site.flag(f"{subject.name}.automated", "on")
    for subject in subjects:
        until(lambda subject=subject: site.answers(subject), f"{subject.name} answers")  # type: ignore[misc]
    return site


def prototype(subject: Subject, *, join: bool) -> contextlib.AbstractContextManager[int]:
    """The port of the bare prototype, on the server's processor."""
    return _bare(subject, "prototype", *(["--join"] if join else []))


def least(subject: Subject, request: bytes) -> contextlib.AbstractContextManager[int]:
    """The port of the least that answers this request, on the server's processor."""
    return _bare(subject, "least", str(len(request)), str(subject.x.nbytes))


@contextlib.contextmanager
def _bare(subject: Subject, server: str, *more: str) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name:
        file, port = Path(name) / "model.onnx", free_port()
        file.write_bytes(subject.file)
        command = [sys.executable, "-m", f"tests.bench.{server}", str(file), str(port), *more]
        with kept_to(SERVER):
            process = subprocess.Popen(command)
        with process:
            try:
                until(lambda: accepts(port), f"the {server} listens")
                yield port
            finally:
                process.terminate()


@contextlib.contextmanager
def plain(subject: Subject) -> Iterator[int]:
    """The port of the server that most teams write, on the server's processor."""
    with kept_to(SERVER), running_plain(subject.file) as port:
        yield port


@contextlib.contextmanager
def beside(subject: Subject, theirs: contextlib.AbstractContextManager[int]) -> Iterator[Pair]:
    """Lockgate and another server, with the request in JSON."""
    with lockgate(subject) as site, theirs as port:
        path = f"/v2/models/{subject.name}/infer"
        there = Endpoint(port, request(path, *subject.json()))
        yield Pair(site.endpoint(subject, subject.json()), there, site.resting)


def raw_rate(subject: Subject, seconds: float = SECONDS) -> float:
    """Inferences a second of onnxruntime in a bare loop, with one thread on the server's processor."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with kept_to(SERVER):
        session = ort.InferenceSession(subject.file, options, providers=["CPUExecutionProvider"])
        feeds = {"x": subject.x}
        session.run(None, feeds)
        runs, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            session.run(None, feeds)
            runs += 1
        return runs / (time.perf_counter() - began)
