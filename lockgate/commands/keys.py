"""`lockgate keys`: keys of services, of CI and one's own."""

import click
import msgspec

from gateway.times import iso
from lockgate.client import Answer
from lockgate.commands.remote import Call, remote
from lockgate.output import note, say

DAY_S = 86_400.0


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a line of the list."""

    id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    expires_us: int | None
    revoked_us: int | None

    @property
    def state(self) -> str:
        """Whether it works, and until when."""
        if self.revoked_us is not None:
            return f"ends {iso(self.revoked_us)}"
        return f"until {iso(self.expires_us)}" if self.expires_us is not None else "works"


class NewKeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made."""

    key: str


@click.group()
def keys() -> None:
    """Keys of services, of CI and one's own."""


@keys.command("list")
@click.option("--mine", is_flag=True, help="Only one's own.")
@remote
def list_(call: Call, *, mine: bool) -> None:
    """Every key, without its text."""
    call.rows(
        call.server.get("/api/v1/keys/mine" if mine else "/api/v1/keys"),
        KeyLine,
        ("id", "name", "key", "scopes", "state"),
        lambda one: (one.id, one.name, f"{one.hint}…", " ".join(one.scopes), one.state),
    )


@keys.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="Such as predict:sentiment, predict:*, read:*, operate.")
@click.option("--mine", is_flag=True, help="A key that acts as oneself, instead of one for a service.")
@click.option("--days", type=float, help="For how long it works; for ever unless given.")
@remote
def add(call: Call, name: str, scopes: tuple[str, ...], *, mine: bool, days: float | None) -> None:
    """Make a key; it is shown this once."""
    lasts_s = days * DAY_S if days is not None else None
    if mine:
        answer = call.server.post("/api/v1/keys/mine", {"name": name, "lasts_s": lasts_s})
    else:
        answer = call.server.post("/api/v1/keys", {"name": name, "scopes": list(scopes), "lasts_s": lasts_s})
    _show(call, answer)


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap-hours", type=float, default=24.0, show_default=True, help="The old key works on for this long."
)
@remote
def rotate(call: Call, key_id: str, overlap_hours: float) -> None:
    """Replace a key; the old one goes on working for a while."""
    _show(call, call.server.post(f"/api/v1/keys/{key_id}/rotate", {"overlap_s": overlap_hours * 3600}))


@keys.command()
@click.argument("key_id")
@remote
def revoke(call: Call, key_id: str) -> None:
    """Revoke a key everywhere, within a second."""
    call.done(call.server.delete(f"/api/v1/keys/{key_id}"), "Revoked.")


def _show(call: Call, answer: Answer) -> None:
    call.show(answer, NewKeyLine, lambda made: say(made.key))
    if not call.as_json:
        note("Keep it now: it is not shown again.")
