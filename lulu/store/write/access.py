"""Logins, devices and share links as rows of ``access``. Knows the hashes of tokens, never a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lulu.model.actors import Role
from lulu.model.timestamps import now, parse_optional_time, parse_time
from lulu.store import rows
from lulu.store.bus import ACCESS
from lulu.store.database import Transaction
from lulu.text.unicode import as_text, as_unicode

#: Name of the LAN switch in ``settings``.
LAN = "lan"


class AccessKind(StrEnum):
    """The kind of a row of ``access``: what it permits."""

    #: A one-time link for this computer …
    LOGIN = "login"
    #: … and the browser that it signed in.
    OWNER = "owner"
    #: A one-time link for another device …
    PAIR = "pair"
    #: … and that device.
    DEVICE = "device"
    #: A link to watch one session.
    SHARE = "share"


#: The kind of credential that a one-time link is exchanged for.
BECOMES = {AccessKind.LOGIN: AccessKind.OWNER, AccessKind.PAIR: AccessKind.DEVICE}
_ROLES = {AccessKind.OWNER: Role.OWNER, AccessKind.DEVICE: Role.OWNER, AccessKind.SHARE: Role.GUEST}


@dataclass(frozen=True, kw_only=True)
class ShareOptions:
    """The parts of a session that a guest sees besides prompts and answers."""

    tool_output: bool = True
    thinking: bool = False


@dataclass(frozen=True, kw_only=True)
class Access:
    """One row of ``access``."""

    id: int
    #: One of ``AccessKind``, or another text of another version.
    kind: str
    #: The session of a share link.
    session_id: str | None
    #: The owner's name for it.
    label: str
    options: ShareOptions = field(default_factory=ShareOptions)
    created_at: datetime
    created_by: str
    #: None means until it is revoked.
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_seen_at: datetime | None

    @property
    def known_kind(self) -> AccessKind | None:
        """The kind; None if this version does not know it."""
        return AccessKind(self.kind) if self.kind in list(AccessKind) else None

    @property
    def role(self) -> Role:
        """The role of its cookie. A one-time link has none before it is exchanged."""
        return _ROLES.get(self.known_kind, Role.NOBODY) if self.known_kind else Role.NOBODY

    @property
    def is_valid(self) -> bool:
        """Whether it is valid now: not revoked, not expired, and a one-time link not used."""
        if self.revoked_at is not None or self.known_kind is None:
            return False
        if self.known_kind in BECOMES and self.used_at is not None:
            return False
        return self.expires_at is None or self.expires_at > datetime.now(UTC)


def access(row: Mapping[str, Any]) -> Access:
    """Return a row as a value. Options that cannot be read show no more than without them."""
    options = rows.parse_object(row["options"])
    return Access(
        id=int(row["id"]),
        kind=str(row["kind"]),
        session_id=row["session_id"],
        label=as_unicode(str(row["label"])),
        options=ShareOptions(
            tool_output=options.get("tool_output") is True,
            thinking=options.get("thinking") is True,
        ),
        created_at=parse_time(row["created_at"]),
        created_by=str(row["created_by"]),
        expires_at=parse_optional_time(row["expires_at"]),
        used_at=parse_optional_time(row["used_at"]),
        revoked_at=parse_optional_time(row["revoked_at"]),
        revoked_by=row["revoked_by"],
        last_seen_at=parse_optional_time(row["last_seen_at"]),
    )


def switch(tx: Transaction, name: str, value: str) -> None:
    """Store a setting that a person switched."""
    tx.query(
        "INSERT INTO settings (name, value, updated_at) VALUES (:name, :value, :at) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        name=name,
        value=value,
        at=now(),
    )
    tx.ring(ACCESS)


def end_shares(tx: Transaction, session_id: str, by: str) -> None:
    """Revoke the links of a session that is deleted. Their rows stay, without the session."""
    tx.query(
        "UPDATE access SET session_id = NULL, revoked_at = coalesce(revoked_at, :at), "
        "revoked_by = coalesce(revoked_by, :by) WHERE session_id = :session",
        session=session_id,
        by=as_text(by),
        at=now(),
    )
    tx.ring(ACCESS)
