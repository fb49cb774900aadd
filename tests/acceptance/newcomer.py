"""Somebody who follows the README in an empty folder, word by word."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.acceptance.readme import GRPC, URL, Block, constant
from tests.servers.process import MissingPart, Process, free_port, until

PASSWORD = "a long pass phrase of a newcomer"
EMAIL = "ada@example.org"
UP = "Ctrl-C ends it in order."
EXPORT = re.compile(r"export (\w+)=\$\((.*)\)")
REVISION = re.compile(r"plan revision (\d+)")


class Newcomer:
    """A folder, a server of its own, a browser, and what has happened so far."""

    def __init__(self, folder: Path, page: Page, client_python: Callable[[str], Path]) -> None:
        if shutil.which("curl") is None:
            raise MissingPart("curl is needed to follow the README: install it (apt install curl)")
        self.folder = folder
        self.page = page
        self.client_python = client_python
        self.port, self.grpc_port, self.monitor_port = free_port(), free_port(), free_port()
        self.link = ""
        self.clients_printed: set[str] = set()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKGATE_")} | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder.with_name("config")),
            "LOCKGATE_HTTP_ADDRESS": f"127.0.0.1:{self.port}",
            "LOCKGATE_GRPC_ADDRESS": f"127.0.0.1:{self.grpc_port}",
            "LOCKGATE_METRICS_ADDRESS": f"127.0.0.1:{self.monitor_port}",
            "NO_COLOR": "1",
        }
        self.server = Process(
            ["lockgate", "serve"], folder.with_name("serve.log"), environment=self.environment, folder=folder,
            ending=signal.SIGTERM,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def follow(self, block: Block) -> Block:
        """Do what the block says; the block as it should be."""
        what, _, rest = block.mark.partition(" ")
        match what:
            case "file":
                (self.folder / rest).write_text(block.text)
                return block
            case "called":
                self.clients_printed.add(self.call_with(rest.removeprefix("by "), block.text))
                return block
            case "what":
                (printed,) = self.clients_printed
                return block._replace(text=printed)
            case "a":
                return block._replace(text=self.wait_for_person(block.commands[0], key=rest.split()[-1]))
            case _:
                return block._replace(text="".join(map(self.type, block.commands)))

    def type(self, command: str) -> str:
        """Type one command; the line with what it printed, in the form that the page shows."""
        if command == "lockgate serve":
            return f"$ {command}\n{self.serve()}"
        if taken := EXPORT.fullmatch(command):
            self.environment[taken[1]] = self.run(taken[2], errors=subprocess.PIPE).strip()
            self.until_followed()
            return f"$ {command}\n"
        printed = self.run(self.as_typed(command))
        if joined := re.search(r"http\S+/console/join/\S+", printed):
            self.link = joined[0]
        if revision := REVISION.search(printed):
            self.until_plan(int(revision[1]))
        return f"$ {command}\n{self.shown(printed)}"

    def as_typed(self, command: str) -> str:
        """The command with what a reader fills in; no test is a terminal, on which alone links are printed."""
        filled = command.replace(f"{URL}/console/join/…", self.link).replace(URL, self.url)
        return f"{filled} --print" if filled.endswith("people link admin") else filled

    def run(self, command: str, errors: int = subprocess.STDOUT) -> str:
        """Run a command in the folder; what it printed. The only thing that is ever asked is a password."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder, env=self.environment, input=f"{PASSWORD}\n", stdout=subprocess.PIPE, stderr=errors,
            text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def shown(self, printed: str) -> str:
        """What was printed as the page shows it."""
        monitor = f"http://127.0.0.1:{self.monitor_port}"
        grpc = f"127.0.0.1:{self.grpc_port}"
        places = {self.url: URL, grpc: GRPC, monitor: "http://127.0.0.1:8002", str(self.folder): "/home/ada/flowers"}
        return constant(printed, places)

    def serve(self) -> str:
        """Start the server; how it greets."""
        self.server.start()
        self.server.wait_until(lambda: self.server.said(UP), "the server's greeting", 60)
        log = self.server.log.read_text()
        return self.shown(log[log.index("  Lockgate is up.") : log.index(UP)] + UP + "\n")

    def until_followed(self) -> None:
        """Return once the gateway knows the model and the key: it follows within a second, and people type slower."""
        headers = {"Authorization": f"Bearer {self.environment['KEY']}"}
        ready = f"{self.url}/v2/models/iris/ready"
        until(lambda: httpx.get(ready, headers=headers, timeout=10).is_success, "the gateway follows")

    def until_plan(self, revision: int) -> None:
        """Return once the gateway's plan has this revision."""

        def followed() -> bool:
            metrics = httpx.get(f"http://127.0.0.1:{self.monitor_port}/metrics", timeout=10).text
            known = [float(found) for found in re.findall(r"^lockgate_plan_revision\S* (\S+)$", metrics, re.MULTILINE)]
            return bool(known) and min(known) >= revision

        until(followed, f"plan revision {revision}")

    def wait_for_person(self, command: str, key: str) -> str:
        """Call as a service that waits, judge as the person in the lane, and return what the call printed."""
        self.page.goto(f"{self.url}/console/lane")
        self.page.get_by_label("E-mail address").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("#help")).to_be_visible(timeout=30_000)
        call = subprocess.Popen(
            ["bash", "-c", self.as_typed(command)],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        with call:
            expect(self.page.get_by_role("heading", name="iris held answer")).to_be_visible(timeout=30_000)
            self.page.keyboard.press(key)
            expect(self.page.get_by_role("status")).to_contain_text("Corrected", timeout=30_000)
            printed, _ = call.communicate(timeout=60)
        assert call.returncode == 0, printed
        return f"$ {command}\n{self.shown(printed)}"

    def call_with(self, client: str, program: str) -> str:
        """What a program prints that calls with a stock client, in an environment that holds nothing of ours."""
        here = program.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}").replace(GRPC, f"127.0.0.1:{self.grpc_port}")
        done = subprocess.run(
            [self.client_python(client), "-c", here],
            env=self.environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def newcomer(folder: Path, page: Page, client_python: Callable[[str], Path]) -> Iterator[Newcomer]:
    """A newcomer whose server is gone at the end."""
    person = Newcomer(folder, page, client_python)
    try:
        yield person
    finally:
        person.server.stop()
