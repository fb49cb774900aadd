"""People, keys, queue and models of the demo, made once for each data folder over the doors that everybody has."""

import asyncio
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec

from demo.models.build import BuiltModel
from demo.play.product import Api, run_command
from demo.play.server import Place

KEPT = "people.json"
QUEUE = "sentiment"
YOU = "you"
RATERS = 3
SINGLE = {"agreement": "single", "k": 1, "required": 1}
"""One person decides: with real ratings of single people that is what can be replayed."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the play invites, and what they may do."""

    name: str
    roles: tuple[str, ...]
    can: str


ROLES = (
    Role(name=YOU, roles=("reviewer", "lead", "operator"), can="all that this play needs"),
    Role(name="reviewer", roles=("reviewer",), can="judges cases in the lane"),
    Role(name="lead", roles=("lead", "reviewer"), can="adjudicates, shapes queues"),
    Role(name="operator", roles=("operator",), can="flags, halts, models"),
    Role(name="auditor", roles=("auditor",), can="sees all, changes nothing"),
    Role(name="admin", roles=("admin",), can="people, roles and keys"),
)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the demo, with what they need to sign in and to use the API."""

    name: str
    email: str
    person_id: str
    password: str
    key: str


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody, with the key of the callers and how often the play was played with these data."""

    members: tuple[Member, ...]
    raters: tuple[Member, ...]
    caller_key: str
    plays: int = 0

    def member(self, name: str) -> Member:
        """The member who has the role of this name."""
        return next(member for member in self.members if member.name == name)


class _Person(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class _Joined(msgspec.Struct, frozen=True, kw_only=True):
    person: _Person
    key: _Key


class _Link(msgspec.Struct, frozen=True, kw_only=True):
    url: str


def read_cast(folder: Path) -> Cast | None:
    """Everybody who was founded in the folder; nothing when the founding was never finished."""
    try:
        return msgspec.json.decode((folder / KEPT).read_bytes(), type=Cast)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def keep_cast(folder: Path, cast: Cast) -> None:
    """Remember everybody, readable by the owner of the folder alone; the file is there whole or not at all."""
    scratch = folder / f"{KEPT}.new"
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(cast))
    scratch.replace(folder / KEPT)


async def found_people(http: httpx.AsyncClient, place: Place) -> Cast:
    """Everybody, on a server that nobody was on before. Raises: Refused, CommandFailed."""
    printed = await run_command("people", "link", "admin", "--print", environment=place.settings, folder=place.folder)
    link = next(word for word in printed.split() if word.startswith("http"))
    admin = await _join(http, link, "admin", "Admin")
    api = Api(http, admin.key)
    others = [_invite(http, api, role.name, role.name.capitalize(), role.roles) for role in ROLES[:-1]]
    raters = [_rater(http, api, number) for number in range(1, RATERS + 1)]
    members = await asyncio.gather(*others, *raters)
    key = await api.post("/keys", {"name": "callers of the demo", "scopes": ["predict:*"]}, _Key)
    return Cast(members=(*members[: len(others)], admin), raters=tuple(members[len(others) :]), caller_key=key.key)


async def found_models(http: httpx.AsyncClient, cast: Cast, models: Sequence[BuiltModel]) -> None:
    """The three models, their flags on, and the people who judge them. Raises: Refused."""
    operator = Api(http, cast.member("operator").key)
    await asyncio.gather(*(_serve(operator, model) for model in models))
    lead = Api(http, cast.member("lead").key)
    rules = {"rules": SINGLE, "model": "sentiment", "why": "Sentences have readers of their own."}
    await lead.post(f"/queues/{QUEUE}/revisions", rules, msgspec.Raw)
    judges = [cast.member(name) for name in (YOU, "reviewer", "lead")]
    for queue, members in ((QUEUE, (*judges, *cast.raters)), ("default", tuple(judges))):
        for member in members:
            await lead.put(f"/queues/{queue}/members/{member.person_id}")


async def _serve(operator: Api, model: BuiltModel) -> None:
    await operator.send_files(f"/models/{model.name}/versions", {"file": model.onnx, "card": model.card}, msgspec.Raw)
    why = f"Right in {model.figures.accuracy:.0%} of {model.figures.items} held-out items."
    await operator.put(f"/flags/{model.name}.automated/switch", {"on": True, "why": why})


async def _rater(http: httpx.AsyncClient, admin: Api, number: int) -> Member:
    rater = await _invite(http, admin, f"rater-{number}", f"Rater {number} (replayed)", ("reviewer",))
    await admin.post(f"/people/{rater.email}/replayed", {}, msgspec.Raw)
    return rater


async def _invite(http: httpx.AsyncClient, admin: Api, name: str, shown: str, roles: tuple[str, ...]) -> Member:
    link = await admin.post("/people/invitations", {"roles": roles}, _Link)
    return await _join(http, link.url, name, shown)


async def _join(http: httpx.AsyncClient, link: str, name: str, shown: str) -> Member:
    """Follow the link as the person does, and take a key."""
    password, email = secrets.token_urlsafe(24), f"{name}@demo"
    body = {
        "token": link.rpartition("/")[2],
        "name": shown,
        "email": email,
        "password": password,
        "key_name": "the demo's play",
    }
    joined = await Api(http).post("/join", body, _Joined)
    return Member(name=name, email=email, person_id=joined.person.id, password=password, key=joined.key.key)
