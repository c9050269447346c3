"""Logins, devices and share links, and the switch for the network."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from lulu.errors import SessionNotFound
from lulu.model.actors import Actor
from lulu.model.timestamps import now, time_text
from lulu.store.bus import ACCESS
from lulu.store.database import Reader, Transaction, Writer
from lulu.store.write.access import BECOMES, Access, AccessKind, ShareOptions, access
from lulu.text.unicode import as_text

#: Days that a browser stays signed in after its last visit.
SIGNED_IN_DAYS = 30
#: The label of the credential of ``python -m lulu``.
COMMAND_LINE = "command line"


class Accesses:
    """Reads, makes and revokes the rows of ``access``, for guard, login routes and share dialog."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit

    def by_hash(self, token_hash: str) -> Access | None:
        """Return the row of a token, valid or not; None if there is none."""
        found = self._query("SELECT * FROM access WHERE token_hash = :hash", hash=token_hash)
        return access(found[0]) if found else None

    def get(self, access_id: int) -> Access | None:
        """Return one row, valid or not; None if there is none."""
        found = self._query("SELECT * FROM access WHERE id = :id", id=access_id)
        return access(found[0]) if found else None

    def find(self, *, session_id: str | None = None, limit: int = 1000) -> list[Access]:
        """Return rows, newest first: of one session or all."""
        found = self._query(
            "SELECT * FROM access WHERE (:session IS NULL OR session_id = :session) ORDER BY id DESC LIMIT :limit",
            session=session_id,
            limit=limit,
        )
        return [access(row) for row in found]

    def setting(self, name: str) -> str | None:
        """Return a setting that a person switched; None if it was never switched."""
        found = self._query("SELECT value FROM settings WHERE name = :name", name=name)
        return str(found[0]["value"]) if found else None

    def make_link(self, actor: Actor, kind: AccessKind, token_hash: str, *, minutes: float, label: str = "") -> Access:
        """Store a one-time link for this computer (``login``) or another device (``pair``).

        Raises ``Forbidden``.
        """
        actor.require_owner()
        if kind not in BECOMES:
            raise ValueError(f"{kind} is not a one-time link")
        expires = datetime.now(UTC) + timedelta(minutes=minutes)
        return self._commit(lambda tx: _insert(tx, kind, token_hash, actor.name, expires, label=label))

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
        """Store a link to watch one session. Raises ``Forbidden`` and ``SessionNotFound``."""
        actor.require_owner()

        def job(tx: Transaction) -> Access:
            if not tx.query("SELECT 1 FROM sessions WHERE id = :id", id=session_id):
                raise SessionNotFound
            return _insert(
                tx, AccessKind.SHARE, token_hash, actor.name, expires_at,
                session_id=session_id, options=options, label=label,
            )  # fmt: skip

        return self._commit(job)

    def revoke(self, actor: Actor, access_id: int) -> None:
        """Revoke a row now; a second time has no effect. Raises ``Forbidden``."""
        actor.require_owner()
        self._commit(lambda tx: _revoke(tx, access_id, actor.name))

    def open_command_line(self, actor: Actor, token_hash: str) -> Access:
        """Store the credential of ``python -m lulu`` for this start. Raises ``Forbidden``.

        It replaces the one of the last start.
        """
        actor.require_owner()

        def job(tx: Transaction) -> Access:
            tx.query("DELETE FROM access WHERE created_by = :by AND label = :label", by=actor.name, label=COMMAND_LINE)
            # Unused login links, those of the last start included: each start prints its own.
            tx.query("DELETE FROM access WHERE kind = 'login' AND used_at IS NULL")
            return _insert(tx, AccessKind.OWNER, token_hash, actor.name, None, label=COMMAND_LINE)

        return self._commit(job)

    def redeem(self, link_hash: str, kind: AccessKind, token_hash: str, label: str) -> Access | None:
        """Exchange a one-time link for a browser's own credential; None if the link is not valid.

        There is no actor yet: possession of the link is what counts.
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

        return self._commit(job)

    def note_visit(self, access_id: int) -> Future[None]:
        """Record a visit: an owner's time limit starts again, a share link keeps the time."""
        return self._submit(lambda tx: _note_visit(tx, access_id))


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
