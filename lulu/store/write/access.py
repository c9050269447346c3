"""Who may come in: logins, devices and share links as rows of ``access``. Knows the hashes of tokens, never a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from lulu.errors import SessionNotFound
from lulu.model.actors import Actor, Role
from lulu.model.timestamps import now, parse_optional_time, parse_time, time_text
from lulu.store import rows
from lulu.store.bus import ACCESS
from lulu.store.read.reader import Readers
from lulu.store.sqlite.transaction import Transaction
from lulu.store.sqlite.writer import Writer
from lulu.text.unicode import as_text, as_unicode

#: How long a browser stays signed in; every visit begins it anew.
SIGNED_IN_DAYS = 30
#: The LAN switch in ``settings``.
LAN = "lan"


class AccessKind(StrEnum):
    """What a row lets somebody do."""

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


#: What a one-time link becomes.
BECOMES = {AccessKind.LOGIN: AccessKind.OWNER, AccessKind.PAIR: AccessKind.DEVICE}
_ROLES = {AccessKind.OWNER: Role.OWNER, AccessKind.DEVICE: Role.OWNER, AccessKind.SHARE: Role.GUEST}


@dataclass(frozen=True, kw_only=True)
class ShareOptions:
    """What a guest sees beside prompts and answers."""

    tool_output: bool = True
    thinking: bool = False


@dataclass(frozen=True, kw_only=True)
class Access:
    """One row of ``access``."""

    id: int
    #: One of ``AccessKind``, or whatever another version wrote.
    kind: str
    #: The one session that a share shows.
    session_id: str | None
    #: How the owner calls it.
    label: str
    options: ShareOptions = field(default_factory=ShareOptions)
    created_at: datetime
    created_by: str
    #: Nothing means until it is revoked.
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_seen_at: datetime | None

    @property
    def known_kind(self) -> AccessKind | None:
        """The kind, or nothing where this version does not know it."""
        return AccessKind(self.kind) if self.kind in list(AccessKind) else None

    @property
    def role(self) -> Role:
        """What its cookie gives. A one-time link gives nothing before it is exchanged."""
        return _ROLES.get(self.known_kind, Role.NOBODY) if self.known_kind else Role.NOBODY

    @property
    def is_valid(self) -> bool:
        """Whether it counts now: not revoked, not expired, and a one-time link not used."""
        if self.revoked_at is not None or self.known_kind is None:
            return False
        if self.known_kind in BECOMES and self.used_at is not None:
            return False
        return self.expires_at is None or self.expires_at > datetime.now(UTC)


def access(row: Mapping[str, Any]) -> Access:
    """A row as a value. Options that cannot be read show nothing more."""
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


class Admitting(Readers):
    """The part of the store that the guard, the login routes and the share dialog use."""

    _writer: Writer

    # -- reading -----------------------------------------------------------------------------------------------------

    def access_by_hash(self, token_hash: str) -> Access | None:
        """The row of a token, valid or not."""
        found = self._query("SELECT * FROM access WHERE token_hash = :hash", hash=token_hash)
        return access(found[0]) if found else None

    def get_access(self, access_id: int) -> Access | None:
        """One row, valid or not."""
        found = self._query("SELECT * FROM access WHERE id = :id", id=access_id)
        return access(found[0]) if found else None

    def accesses(self, *, session_id: str | None = None, limit: int = 1000) -> list[Access]:
        """Newest first; those of one session or all."""
        found = self._query(
            "SELECT * FROM access WHERE (:session IS NULL OR session_id = :session) ORDER BY id DESC LIMIT :limit",
            session=session_id,
            limit=limit,
        )
        return [access(row) for row in found]

    def setting(self, name: str) -> str | None:
        """What a person switched, or nothing."""
        found = self._query("SELECT value FROM settings WHERE name = :name", name=name)
        return str(found[0]["value"]) if found else None

    def latest_actions(self, *, limit: int) -> list[dict[str, Any]]:
        """Return commands and decided requests, newest first, as dicts.

        The keys are ``at``, ``who``, ``what``, ``session_id`` and ``subject``.
        """
        return self._query(
            "SELECT created_at AS at, actor AS who, kind AS what, session_id, NULL AS subject FROM commands "
            "UNION ALL SELECT decided_at, decided_by, status, session_id, tool_name FROM approvals "
            "WHERE decided_at IS NOT NULL ORDER BY at DESC LIMIT :limit",
            limit=limit,
        )

    # -- the owner ---------------------------------------------------------------------------------------------------

    def make_link(self, actor: Actor, kind: AccessKind, token_hash: str, *, minutes: float, label: str = "") -> Access:
        """A one-time link, for this computer (``login``) or another device (``pair``). Raises ``Forbidden``."""
        actor.require_owner()
        if kind not in BECOMES:
            raise ValueError(f"{kind} is not a one-time link")
        expires = datetime.now(UTC) + timedelta(minutes=minutes)
        return self._writer.commit(lambda tx: _insert(tx, kind, token_hash, actor.name, expires, label=label))

    def share(
        self,
        actor: Actor,
        session_id: str,
        token_hash: str,
        *,
        expires_at: datetime | None,
        options: ShareOptions,
        label: str = "",
    ) -> Access:
        """A link to watch one session. Raises ``Forbidden`` and ``SessionNotFound``."""
        actor.require_owner()

        def job(tx: Transaction) -> Access:
            if not tx.query("SELECT 1 FROM sessions WHERE id = :id", id=session_id):
                raise SessionNotFound
            return _insert(
                tx, AccessKind.SHARE, token_hash, actor.name, expires_at,
                session_id=session_id, options=options, label=label,
            )  # fmt: skip

        return self._writer.commit(job)

    def revoke(self, actor: Actor, access_id: int) -> None:
        """End it now. Once more changes nothing. Raises ``Forbidden``."""
        actor.require_owner()
        self._writer.commit(lambda tx: _revoke(tx, access_id, actor.name))

    def open_command_line(self, actor: Actor, token_hash: str) -> Access:
        """The credential of ``python -m lulu`` for this start; the last start's ends. Raises ``Forbidden``."""
        actor.require_owner()

        def job(tx: Transaction) -> Access:
            tx.query("DELETE FROM access WHERE created_by = :by AND label = :label", by=actor.name, label=COMMAND_LINE)
            # Links that nobody used, those of the last start included: each start prints its own.
            tx.query("DELETE FROM access WHERE kind = 'login' AND used_at IS NULL")
            return _insert(tx, AccessKind.OWNER, token_hash, actor.name, None, label=COMMAND_LINE)

        return self._writer.commit(job)

    # -- whoever holds a token ---------------------------------------------------------------------------------------

    def redeem(self, link_hash: str, kind: AccessKind, token_hash: str, label: str) -> Access | None:
        """Exchange a one-time link for a browser's own credential; nothing where the link does not count.

        There is no actor yet: holding the link is what counts.
        """

        def job(tx: Transaction) -> Access | None:
            at = now()
            used = tx.query(
                "UPDATE access SET used_at = :at, last_seen_at = :at WHERE token_hash = :hash AND kind = :kind "
                "AND used_at IS NULL AND revoked_at IS NULL AND expires_at > :at RETURNING created_by, label",
                hash=link_hash,
                kind=kind.value,
                at=at,
            )
            if not used:
                return None
            tx.ring(ACCESS)
            expires = datetime.now(UTC) + timedelta(days=SIGNED_IN_DAYS)
            by = str(used[0]["created_by"])
            return _insert(tx, BECOMES[kind], token_hash, by, expires, label=used[0]["label"] or label, seen=True)

        return self._writer.commit(job)

    def note_visit(self, access_id: int) -> Future[None]:
        """It is in use: an owner's time begins anew, a share remembers when it was last opened."""
        return self._writer.submit(lambda tx: _note_visit(tx, access_id))


#: The label of the credential that ``python -m lulu`` uses.
COMMAND_LINE = "command line"


def switch(tx: Transaction, name: str, value: str) -> None:
    """Remember a setting that a person switched."""
    tx.query(
        "INSERT INTO settings (name, value, updated_at) VALUES (:name, :value, :at) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        name=name,
        value=value,
        at=now(),
    )
    tx.ring(ACCESS)


def end_shares(tx: Transaction, session_id: str, by: str) -> None:
    """The session goes: its links end, and stay in the record without it."""
    tx.query(
        "UPDATE access SET session_id = NULL, revoked_at = coalesce(revoked_at, :at), "
        "revoked_by = coalesce(revoked_by, :by) WHERE session_id = :session",
        session=session_id,
        by=as_text(by),
        at=now(),
    )
    tx.ring(ACCESS)


def _insert(
    tx: Transaction,
    kind: AccessKind,
    token_hash: str,
    by: str,
    expires_at: datetime | None,
    *,
    session_id: str | None = None,
    options: ShareOptions | None = None,
    label: str = "",
    seen: bool = False,
) -> Access:
    at = now()
    inserted = tx.query(
        "INSERT INTO access (kind, token_hash, session_id, label, options, created_at, created_by, expires_at, "
        "used_at, last_seen_at) VALUES (:kind, :hash, :session, :label, :options, :at, :by, :expires, :seen, :seen) "
        "RETURNING *",
        kind=kind.value,
        hash=token_hash,
        session=session_id,
        label=as_text(label),
        options=json.dumps(asdict(options)) if options else None,
        at=at,
        by=as_text(by),
        expires=expires_at and time_text(expires_at),
        seen=at if seen else None,
    )
    tx.ring(ACCESS)
    return access(inserted[0])


def _revoke(tx: Transaction, access_id: int, by: str) -> None:
    tx.query(
        "UPDATE access SET revoked_at = :at, revoked_by = :by WHERE id = :id AND revoked_at IS NULL",
        id=access_id,
        by=as_text(by),
        at=now(),
    )
    tx.ring(ACCESS)


def _note_visit(tx: Transaction, access_id: int) -> None:
    at = now()
    tx.query(
        "UPDATE access SET used_at = coalesce(used_at, :at), last_seen_at = :at, "
        "expires_at = CASE WHEN kind IN ('owner', 'device') AND expires_at IS NOT NULL THEN :expires "
        "ELSE expires_at END WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)",
        id=access_id,
        at=at,
        expires=time_text(datetime.now(UTC) + timedelta(days=SIGNED_IN_DAYS)),
    )
    tx.ring(ACCESS)
