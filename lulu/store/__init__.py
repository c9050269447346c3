"""What is stored: the only package that knows SQL."""

from lulu.store.bus import (
    APPROVALS,
    COMMANDS,
    HEALTH,
    SESSIONS,
    Bus,
    row_topic,
    session_topic,
)
from lulu.store.changes import Change, Decision, Recorded
from lulu.store.rows import Approval, LiveText
from lulu.store.store import Store
from lulu.store.writer import StoreHealth

__all__ = [
    "APPROVALS",
    "COMMANDS",
    "HEALTH",
    "SESSIONS",
    "Approval",
    "Bus",
    "Change",
    "Decision",
    "LiveText",
    "Recorded",
    "Store",
    "StoreHealth",
    "row_topic",
    "session_topic",
]
