"""Which role may do what. Pure.

| permission | reviewer | lead | operator | auditor | admin | a key's scope |
|---|---|---|---|---|---|---|
| look: models, flags, queues, own self | yes | yes | yes | yes | yes | review, operate, audit, admin |
| judge: claim and judge cases | yes | yes | | | | |
| lead: adjudicate, reopen, shape queues | | yes | | | | |
| operate: flags, halt, models, releases | | | yes | | | operate |
| inspect: predictions, traffic, history | | yes | yes | yes | yes | audit, operate |
| administer: people, roles, keys | | | | | yes | admin |

What is not listed is refused. A role that was granted for one model opens the route; the code behind it then asks for
that model. `self` needs a person, `anyone` only a valid key or session, `public` nothing.
"""

from typing import Literal

Role = Literal["reviewer", "lead", "operator", "auditor", "admin"]
Permission = Literal["public", "anyone", "self", "look", "judge", "lead", "operate", "inspect", "administer"]

ROLES: tuple[Role, ...] = ("reviewer", "lead", "operator", "auditor", "admin")
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "reviewer": frozenset({"look", "judge"}),
    "lead": frozenset({"look", "judge", "lead", "inspect"}),
    "operator": frozenset({"look", "operate", "inspect"}),
    "auditor": frozenset({"look", "inspect"}),
    "admin": frozenset({"look", "inspect", "administer"}),
}
SCOPE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "review": frozenset({"look"}),
    "operate": frozenset({"look", "operate", "inspect"}),
    "audit": frozenset({"look", "inspect"}),
    "admin": frozenset({"look", "administer"}),
}
PERMISSIONS: tuple[Permission, ...] = (
    "public", "anyone", "self", "look", "judge", "lead", "operate", "inspect", "administer",
)  # fmt: skip


def person_may(roles: frozenset[str], permission: Permission) -> bool:
    """Whether a person with these roles has the permission."""
    if permission in {"public", "anyone", "self"}:
        return True
    return any(permission in ROLE_PERMISSIONS.get(role, frozenset()) for role in roles)


def key_may(scopes: frozenset[str], permission: Permission) -> bool:
    """Whether a key that belongs to nobody has the permission."""
    if permission in {"public", "anyone"}:
        return True
    return any(permission in SCOPE_PERMISSIONS.get(scope, frozenset()) for scope in scopes)
