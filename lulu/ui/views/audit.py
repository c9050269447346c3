"""The Audit page: a view over ``commands``, ``approvals`` and ``access``. It shows no tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import parse_session_id
from lulu.model.timestamps import parse_time
from lulu.runtime import Runtime
from lulu.store import Access, AccessKind
from lulu.text.labels import safe_label
from lulu.ui import formats
from lulu.ui.page_context import PageContext

#: Rows that are shown.
MOST = 500
_KINDS = {
    AccessKind.LOGIN: "login link",
    AccessKind.OWNER: "sign-in",
    AccessKind.PAIR: "device link",
    AccessKind.DEVICE: "device",
    AccessKind.SHARE: "share link",
}
_COMMANDS = {
    "start": "started a session",
    "prompt": "sent a prompt",
    "send_now": "sent a prompt at once",
    "interrupt": "stopped a turn",
    "send_held": "sent what was on hold",
    "delete_held": "deleted what was on hold",
    "approved": "approved",
    "denied": "denied",
    "switch_lan": "switched LAN access",
    "set_mode": "changed the permissions",
    "set_model": "changed the model",
    "save_draft": "saved a draft",
    "edit_queued": "edited a queued prompt",
    "withdraw_queued": "took back a queued prompt",
    "fork": "forked a session",
    "rename": "renamed a session",
    "pin": "pinned or unpinned a session",
    "archive": "archived or unarchived a session",
    "delete": "deleted a session",
    "set_budget": "changed the limits",
    "add_rule": "added a rule",
    "switch_rule": "switched a rule",
    "delete_rule": "deleted a rule",
    "expired": "request expired:",
    "cancelled": "request cancelled:",
    "trust_folder": "answered about a folder",
    "forget_folder": "took back an answer about a folder",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the table."""

    at: datetime
    who: str
    what: str
    session_id: str | None = None


def show(page: PageContext) -> None:
    """Draw the page."""
    page.actor.require_owner()
    st.title("Audit", anchor=False)
    st.caption("Who came in, what was shared, and who did what. Newest first.")
    lines = ["| When | Who | What | Session |", "|---|---|---|---|"]
    names: dict[str, str] = {}
    for entry in entries(page.lulu):
        if entry.session_id and entry.session_id not in names:
            names[entry.session_id] = _link(page.lulu, entry.session_id)
        cells = (
            f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}",
            safe_label(entry.who),
            safe_label(entry.what, 160),
            names.get(entry.session_id or "", ""),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    with st.container(key="audit"):
        st.markdown("\n".join(lines))


def _link(lulu: Runtime, session_id: str) -> str:
    """Return a link to the session with its title, or the beginning of its id if it was deleted."""
    try:
        session = lulu.store.sessions.get(parse_session_id(session_id))
    except SessionNotFound:
        return formats.code(session_id[:8])
    return f"[{safe_label(session.name, 60)}](/session?id={session.id})"


def entries(lulu: Runtime) -> list[Entry]:
    """Return the newest actions and accesses, newest first."""
    found = [entry for row in lulu.store.access.find(limit=MOST) for entry in _of_access(row)]
    for action in lulu.store.commands.latest_actions(limit=MOST):
        what = str(action["what"])
        said = _COMMANDS.get(what, what.replace("_", " "))
        found.append(
            Entry(
                at=parse_time(action["at"]),
                who=str(action["who"] or ""),
                what=f"{said} {action['subject'] or ''}".strip(),
                session_id=action["session_id"],
            )
        )
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:MOST]


def _of_access(row: Access) -> Iterator[Entry]:
    kind = _KINDS.get(row.known_kind, row.kind) if row.known_kind else row.kind
    name = f"{kind} “{row.label}”" if row.label else kind
    yield Entry(at=row.created_at, who=row.created_by, what=f"created {name}", session_id=row.session_id)
    visitor = row.label or "a visitor"
    if row.used_at is not None and row.known_kind not in (AccessKind.OWNER, AccessKind.DEVICE):
        yield Entry(at=row.used_at, who=visitor, what=f"opened {name}", session_id=row.session_id)
    if row.last_seen_at is not None and row.last_seen_at != row.used_at:
        yield Entry(at=row.last_seen_at, who=visitor, what=f"last used {name}", session_id=row.session_id)
    if row.revoked_at is not None:
        yield Entry(at=row.revoked_at, who=row.revoked_by or "", what=f"revoked {name}", session_id=row.session_id)
