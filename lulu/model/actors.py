"""Actors and their roles. Knows no tokens, cookies or pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lulu.errors import Forbidden


class Role(StrEnum):
    """All roles (docs/security.md)."""

    OWNER = "owner"
    GUEST = "guest"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, or Lulu itself, as the sender of a request or command."""

    #: The permissions of the actor.
    role: Role
    #: The name in the audit trail: "this computer", a device's label, a share link's label.
    name: str
    #: The row in ``access`` that authenticated the actor.
    access_id: int | None = None
    #: The one session that a guest may watch.
    session_id: str | None = None

    def require_owner(self) -> None:
        """Raise ``Forbidden`` unless this is the owner."""
        if self.role is not Role.OWNER:
            raise Forbidden(
                "Only Lulu's owner can do this.",
                safe="Nothing was changed.",
                next_step="Ask the person who sent you the link.",
            )

    def may_watch(self, session_id: str) -> bool:
        """Whether this actor may see the session."""
        if self.role is Role.OWNER:
            return True
        return self.role is Role.GUEST and self.session_id == session_id


#: A request without a valid credential. It may see no session.
NOBODY = Actor(role=Role.NOBODY, name="nobody")
#: Lulu itself, for recovery and rules.
LULU = Actor(role=Role.OWNER, name="Lulu")
