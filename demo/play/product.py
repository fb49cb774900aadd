"""The product as the demo knows it: its HTTP API, its command, and the fields of their answers that it reads."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from demo.errors import CommandFailed, Refused, ServerAway

T = TypeVar("T")
AWAY = (502, 503, 504)
LONGEST_ANSWER_S = 70.0
"""Above the 50 s for which a caller may be kept waiting."""


class Api:
    """`/api/v1` with one key: whatever it does, it does as the key's person."""

    def __init__(self, http: httpx.AsyncClient, key: str = "") -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    async def get(self, path: str, kind: type[T], **params: str | int) -> T:
        """What the server tells. Raises: Refused, ServerAway."""
        return await self._ask("GET", path, kind, params=params)

    async def post(self, path: str, body: object, kind: type[T]) -> T:
        """What the server tells of what it did. Raises: Refused, ServerAway."""
        return await self._ask("POST", path, kind, content=_json(body))

    async def put(self, path: str, body: object = None) -> None:
        """Say that something shall be so. Raises: Refused, ServerAway."""
        await self._ask("PUT", path, Any, content=_json(body))

    async def send_files(self, path: str, files: Mapping[str, Path], kind: type[T]) -> T:
        """What the server made of files, sent as the parts of a form. Raises: Refused, ServerAway."""
        parts = {name: (file.name, file.read_bytes()) for name, file in files.items()}
        return await self._ask("POST", path, kind, files=parts)

    async def _ask(self, method: str, path: str, kind: type[T], **request: Any) -> T:
        headers = {**self._headers, **({"content-type": "application/json"} if request.get("content") else {})}
        try:
            answer = await self._http.request(method, f"/api/v1{path}", headers=headers, **request)
        except httpx.HTTPError as error:
            raise ServerAway(why=type(error).__name__) from error
        if answer.status_code in AWAY:
            raise ServerAway(why=answer.text[:200])
        if not answer.is_success:
            raise Refused(status=answer.status_code, what=f"{method} {path}", said=answer.text[:500])
        return msgspec.json.decode(answer.content or b"null", type=kind)


def _json(body: object) -> bytes | None:
    return None if body is None else msgspec.json.encode(body)


def connect(url: str) -> httpx.AsyncClient:
    """Connections to the server: as many as there are callers, and no proxy in between."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    return httpx.AsyncClient(base_url=url, timeout=LONGEST_ANSWER_S, limits=limits, trust_env=False)


async def run_command(*words: object, environment: Mapping[str, str], folder: Path) -> str:
    """What `lockgate WORDS` prints in a folder without settings of others. Raises: CommandFailed."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lockgate"),
        *map(str, words),
        env=clean_environment(environment),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, complained = await command.communicate()
    except asyncio.CancelledError:
        command.kill()
        await command.wait()
        raise
    if command.returncode:
        raise CommandFailed(
            command=f"lockgate {' '.join(map(str, words[:2]))}", said=complained.decode()[-1000:].strip()
        )
    return printed.decode()


def clean_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment with our settings alone: whoever runs the demo may have a Lockgate of their own."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("LOCKGATE_")}
    return {**theirs, **ours}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor of an answer."""

    name: str
    data: list[Any]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer under `/v2`: tensors and what is said about them, or an error."""

    outputs: tuple[Output, ...] = ()
    parameters: dict[str, str | bool | float] = {}
    error: str = ""

    @property
    def label(self) -> str | None:
        """The class that is answered; None where the answer has no tensors."""
        return next((str(output.data[0]) for output in self.outputs if output.name == "label"), None)

    def said(self, name: str) -> str:
        """A parameter as text, empty when it is not there."""
        return str(self.parameters.get(name, ""))
