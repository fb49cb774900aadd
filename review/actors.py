"""Who acts: a person, or a key that belongs to nobody; with the roles that were granted. Pure."""

from typing import Literal
from uuid import UUID

import msgspec

from review.errors import NotAllowed, NotAPerson

Role = Literal["reviewer", "lead", "operator", "auditor", "admin"]

GRANTED_BY: dict[str, frozenset[str]] = {"reviewer": frozenset({"reviewer", "lead"})}
"""The roles that hold another one's rights too: a lead may do what a reviewer may. Every other role stands alone."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks for something, already authenticated."""

    kind: Literal["person", "key"]
    """`key` is a key of a service or of CI; a personal key acts as its person."""
    id: UUID
    """The person's id, or the key's own."""
    name: str
    email: str = ""
    tenant_id: UUID
    roles: frozenset[tuple[Role, UUID | None]] = frozenset()
    """Each role with the model it was granted for, or None for all models of the tenant."""
    key_id: UUID | None = None
    """The key that was used; None for a signed-in browser."""

    @property
    def by(self) -> str:
        """How events and history name them: `person:<email>` or `key:<name>`."""
        return f"person:{self.email}" if self.kind == "person" else f"key:{self.name}"

    def may(self, role: str, model_id: UUID | None = None) -> bool:
        """Whether the role, or one that holds its rights, was granted for this model or for all."""
        holders = GRANTED_BY.get(role, frozenset({role}))
        return any((holder, where) in self.roles for holder in holders for where in (None, model_id))

    def may_any(self, role: str) -> bool:
        """Whether the role, or one that holds its rights, was granted for some model at least."""
        holders = GRANTED_BY.get(role, frozenset({role}))
        return any(granted in holders for granted, _ in self.roles)

    def require(self, role: str, model_id: UUID | None = None) -> None:
        """Return if they are a person with this role. Raises: NotAPerson, NotAllowed."""
        if self.kind != "person":
            raise NotAPerson
        if not self.may(role, model_id):
            raise NotAllowed(role=role)

    def require_any(self, role: str) -> None:
        """Return if they are a person with this role for some model. Raises: NotAPerson, NotAllowed."""
        if self.kind != "person":
            raise NotAPerson
        if not self.may_any(role):
            raise NotAllowed(role=role)
