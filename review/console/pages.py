"""Pages: templates filled with values, as HTML that no cache keeps. The one door to the template engine."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import MediaType

from gateway.access.roles import Permission, person_may
from gateway.times import now_us
from review.actors import Actor
from review.api.authentication import Credentials
from review.console import words
from review.console.assets import asset_url

TEMPLATES = Path(__file__).parent / "templates"
Asked = Request[Actor, Credentials, State]

SECTIONS: tuple[tuple[str, str, Permission], ...] = (
    ("Lane", "/console/lane", "judge"),
    ("Operations", "/console/operations", "inspect"),
    ("Queues", "/console/queues", "lead"),
    ("Models", "/console/models", "look"),
    ("Corrections", "/console/corrections", "look"),
    ("People", "/console/people", "administer"),
)
"""The sections of the console: title, address, and the permission without which it is not offered."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset_url
    environment.filters |= words.FILTERS
    return environment


_ENVIRONMENT = _environment()


def html(template: str, request: Asked, **values: Any) -> str:
    """A template filled with the values and with what every page knows: who looks, the sections, the time."""
    actor = request.user
    credentials = request.auth
    session = credentials.session
    common = {
        "actor": actor,
        "csrf": session.csrf if session is not None else "",
        "sections": sections_for(actor),
        "path": request.url.path,
        "now_us": now_us(),
    }
    return _ENVIRONMENT.get_template(template).render(common | values)


def document(template: str, **values: Any) -> str:
    """A template filled with these values alone: a document that knows nothing of who looks, or when."""
    return _ENVIRONMENT.get_template(template).render(values)


def page(template: str, request: Asked, *, status: int = 200, **values: Any) -> Response[str]:
    """A whole page."""
    return Response(
        html(template, request, **values),
        status_code=status,
        media_type=MediaType.HTML,
        headers={"cache-control": "no-store"},
    )


def sections_for(actor: Actor | None) -> list[tuple[str, str]]:
    """The sections that somebody may open."""
    return [(title, address) for title, address, permission in SECTIONS if actor is not None and has(actor, permission)]


def has(actor: Actor, permission: Permission) -> bool:
    """Whether a person's roles give the permission for some model."""
    return actor.kind == "person" and person_may(frozenset(role for role, _ in actor.roles), permission)


def wants_json(request: Asked) -> bool:
    """Whether the console's own script asks, and not a form."""
    return "application/json" in request.headers.get("accept", "")
