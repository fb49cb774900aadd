"""`lockgate people`: invitations, roles, and the first admin's link."""

import asyncio
import sys

import click
import msgspec

from lockgate.commands.options import server_options, settled
from lockgate.commands.remote import Call, remote
from lockgate.errors import AdminExists, NotATerminal
from lockgate.output import note, say
from lockgate.settings import Settings


class GrantLine(msgspec.Struct, frozen=True, kw_only=True):
    """A role, for all models or one."""

    role: str
    model: str | None = None

    def __str__(self) -> str:
        return f"{self.role}:{self.model}" if self.model else self.role


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A person as a line of the list."""

    name: str
    email: str
    grants: tuple[GrantLine, ...]
    disabled_us: int | None

    @property
    def roles(self) -> str:
        """The roles in a row."""
        return ", ".join(map(str, self.grants)) or "none"


class LinkLine(msgspec.Struct, frozen=True, kw_only=True):
    """A link that works once."""

    url: str
    lasts_s: float


@click.group()
def people() -> None:
    """People, invitations and roles."""


@people.group()
def link() -> None:
    """Links that are made on the server's own machine."""


@link.command("admin")
@server_options
@click.option("--print", "anywhere", is_flag=True, help="Print the link even where it may be kept, such as in a file.")
def link_admin(*, anywhere: bool, **given: object) -> None:
    """Make a link for an admin: for the first one, or on the server's own machine when nobody can sign in any more.

    It works once, for 15 minutes. It needs the data directory (or the database), not a key.
    """
    settings = settled(**given).settings
    if not anywhere and not sys.stdout.isatty():
        raise NotATerminal
    say(asyncio.run(_admin_link(settings)))
    note("Open it within 15 minutes; it works once.")


async def _admin_link(settings: Settings) -> str:
    from gateway.store.ledger import Ledger
    from gateway.store.migrate import check
    from review.people.joining import has_admin, invite_first_admin

    await check(settings.ledger_url)
    ledger = Ledger.open(settings.ledger_url)
    try:
        if await has_admin(ledger) and not settings.data_directory.exists():
            raise AdminExists
        token = await invite_first_admin(ledger, "worker")
    finally:
        await ledger.close()
    return f"{settings.link_url}/console/join/{token}"


@people.command("list")
@remote
def list_(call: Call) -> None:
    """Everybody, with their roles."""
    call.rows(
        call.server.get("/api/v1/people"),
        PersonLine,
        ("name", "address", "roles", ""),
        lambda one: (one.name, one.email, one.roles, "disabled" if one.disabled_us else ""),
    )


@people.command()
@click.option("--role", "roles", multiple=True, help="A role they get; may be given several times.")
@click.option("--again", metavar="ADDRESS", help="Somebody who is here already and shall choose a new password.")
@remote
def invite(call: Call, roles: tuple[str, ...], again: str | None) -> None:
    """Make a link for somebody new, or for a new password."""
    answer = call.server.post("/api/v1/people/invitations", {"roles": list(roles), "email": again})
    call.show(answer, LinkLine, lambda made: say(made.url))
    if not call.as_json:
        note(f"It works once, for {answer.read(LinkLine).lasts_s / 3600:.0f} hours.")


@people.command()
@click.argument("address")
@click.argument("role")
@click.option("--model", help="For this model only.")
@remote
def grant(call: Call, address: str, role: str, model: str | None) -> None:
    """Give somebody a role."""
    answer = call.server.post(f"/api/v1/people/{address}/roles", {"role": role, "model": model})
    call.show(answer, PersonLine, lambda person: say(f"{person.name}: {person.roles}"))


@people.command()
@click.argument("address")
@click.argument("role")
@click.option("--model", help="For this model only.")
@remote
def revoke(call: Call, address: str, role: str, model: str | None) -> None:
    """Take a role from somebody."""
    answer = call.server.delete(f"/api/v1/people/{address}/roles/{role}", model=model)
    call.show(answer, PersonLine, lambda person: say(f"{person.name}: {person.roles}"))


@people.command()
@click.argument("address")
@remote
def disable(call: Call, address: str) -> None:
    """Shut somebody out, with every session and key."""
    answer = call.server.post(f"/api/v1/people/{address}/disable")
    call.show(answer, PersonLine, lambda person: say(f"{person.name} is shut out; their keys are revoked."))


@people.command()
@click.argument("address")
@remote
def enable(call: Call, address: str) -> None:
    """Let somebody in again."""
    answer = call.server.post(f"/api/v1/people/{address}/enable")
    call.show(answer, PersonLine, lambda person: say(f"{person.name} may sign in again; keys stay revoked."))
