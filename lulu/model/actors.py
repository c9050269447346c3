"""Who acts. Knows roles and what they may do; knows no tokens, cookies or pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lulu.errors import Forbidden


class Role(StrEnum):
    """The only roles there are (docs/security.md)."""

    OWNER = "owner"
    GUEST = "guest"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody who looks or acts."""

    #: What they may do.
    role: Role
    #: How the audit trail names them: "this computer", a device's label, a share's label.
    name: str
    #: The row in ``access`` that let them in.
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


#: Nobody in particular: sees nothing.
NOBODY = Actor(role=Role.NOBODY, name="nobody")
#: Lulu itself, where no person acts: recovery, rules.
LULU = Actor(role=Role.OWNER, name="Lulu")
