"""Texts for values: statuses, ages, durations, money, folders. All are safe in a label."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import humanize

from lulu.model.sessions import Session, SessionStatus
from lulu.text.labels import safe_label
from lulu.text.plain import plain

#: One colour for each status, on every page; the status word is always beside it.
STATUS_COLOURS: dict[SessionStatus, str] = {
    SessionStatus.DRAFT: "gray",
    SessionStatus.STARTING: "yellow",
    SessionStatus.RUNNING: "yellow",
    SessionStatus.WAITING: "blue",
    SessionStatus.COMPLETED: "green",
    SessionStatus.FAILED: "red",
    SessionStatus.INTERRUPTED: "orange",
}

#: After this many days a date says more than an age.
_DAYS_AS_AGE = 7


def status(session: Session) -> str:
    """Return a dot and the status word in its colour; in grey if this version does not know it."""
    return f":{colour(session)}[● {safe_label(session.status) or 'no status'}]"


def on_hold(session: Session) -> str:
    """Return how many queued prompts are on hold; empty for none."""
    return f"{session.held_prompts} on hold" if session.held_prompts else ""


def colour(session: Session) -> str:
    """Return Streamlit's name for the colour of the session's status."""
    known = session.known_status
    return STATUS_COLOURS[known] if known else "gray"


def age(moment: datetime) -> str:
    """Return how long ago, in one unit: ``now``, ``25 min``, ``3 h``, ``6 days``; later a date."""
    passed = datetime.now(UTC) - moment
    if passed.total_seconds() < 60:
        return "now"
    if passed.days >= _DAYS_AS_AGE:
        return moment.astimezone().strftime("%b %-d" if passed.days < 300 else "%b %Y")
    if passed.days:
        return plural(passed.days, "day")
    minutes = int(passed.total_seconds()) // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def clock(moment: datetime) -> str:
    """Return the local time of day, with the date unless it is today."""
    then, today = moment.astimezone(), datetime.now().astimezone().date()
    if then.date() == today:
        return then.strftime("%H:%M")
    return then.strftime("%b %-d, %H:%M" if then.year == today.year else "%b %-d %Y, %H:%M")


def duration(milliseconds: float) -> str:
    """Return ``340 ms``, ``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def took(milliseconds: float, waited: float | None) -> str:
    """Return the time of the work and, from one second on, of the wait: ``10 s · waited 13 min``."""
    return line(duration(milliseconds), f"waited {duration(waited)}" if waited and waited >= 1000 else "")


def money(dollars: float) -> str:
    """Return US dollars. The sign is escaped, because ``$`` begins a formula in a label."""
    return f"\\${dollars:.2f}" if dollars >= 0.1 or dollars == 0 else f"\\${dollars:.4f}".rstrip("0")


def tokens(usage: dict[str, Any] | None) -> str:
    """Return the tokens that a turn read (cached or not) and wrote, as ``1.2k tokens``; empty if unknown."""
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [value for name in names if isinstance(value := (usage or {}).get(name), int)]
    total = sum(counts)
    if not total:
        return ""
    return f"{total / 1000:.1f}k tokens" if total >= 1000 else plural(total, "token")


def size(characters: int) -> str:
    """Return a number of bytes in a readable unit."""
    return humanize.naturalsize(characters, format="%.0f")


def plural(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 turn``, ``1,204 turns``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def folder(path: str | None) -> str:
    """Return the last name of a path, or the path itself if it has none."""
    return safe_label(PurePath(path).name or path) if path else ""


def agent(name: str | None) -> str:
    """Return an agent's name for people."""
    return {"claude": "Claude", "demo": "demo agent", None: ""}.get(name, safe_label(name or ""))


def line(*parts: str) -> str:
    """Join the parts that are not empty with dots."""
    return " · ".join(part for part in parts if part)


def code(text: str, limit: int = 120) -> str:
    """Return one line in monospace for a label; markup inside it has no effect."""
    shown = " ".join(plain(text[: limit * 4]).split())
    if len(shown) > limit:
        shown = shown[:limit].rstrip() + "…"
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"`{shown}`"


#: Claude Code's permission modes in words.
MODES: dict[str, str] = {
    "default": "Ask before acting",
    "acceptEdits": "Accept edits",
    "plan": "Plan only",
    "dontAsk": "Deny instead of asking",
    "bypassPermissions": "Bypass permissions (dangerous)",
}


#: Tooltip that explains the permission modes.
MODES_HELP = (
    "**Ask before acting**: you answer each change and command.  \n"
    "**Accept edits**: files are changed without asking; commands are asked for.  \n"
    "**Plan only**: reads, writes a plan, changes nothing.  \n"
    "**Deny instead of asking**: goes on without you; only what rules allow is run.  \n"
    "**Bypass permissions**: runs everything without asking."
)


def mode(name: str | None) -> str:
    """Return a permission mode in words, or its own name if this version does not know it."""
    return MODES.get(name or "default", safe_label(name or ""))


def hidden_kinds(hidden: Counter[str]) -> str:
    """Return the hidden things by kind, as ``2 passwords, 1 home folder``."""
    counts = ((count, safe_label(kind.replace("_", " "))) for kind, count in hidden.most_common() if count)
    return ", ".join(plural(count, kind) for count, kind in counts)
