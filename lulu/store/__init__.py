"""What is stored: the only package that knows SQL."""

from lulu.store.admitting import Access, AccessKind, ShareOptions
from lulu.store.approving import Decision
from lulu.store.bus import (
    ACCESS,
    APPROVALS,
    COMMANDS,
    DELETED,
    FOLDERS,
    HEALTH,
    INDEX,
    RULES,
    SESSIONS,
    VISITORS,
    Bus,
    BusState,
    log_topic,
    row_topic,
    session_topic,
    text_topic,
)
from lulu.store.changes import Change, Recorded
from lulu.store.folders import FolderQuestion
from lulu.store.readers import Show
from lulu.store.rows import Approval, LiveText
from lulu.store.searching import Found, Hit, Query
from lulu.store.store import Store
from lulu.store.writer import StoreHealth

__all__ = [
    "ACCESS",
    "APPROVALS",
    "COMMANDS",
    "DELETED",
    "FOLDERS",
    "HEALTH",
    "INDEX",
    "RULES",
    "SESSIONS",
    "VISITORS",
    "Access",
    "AccessKind",
    "Approval",
    "Bus",
    "BusState",
    "Change",
    "Decision",
    "FolderQuestion",
    "Found",
    "Hit",
    "LiveText",
    "Query",
    "Recorded",
    "ShareOptions",
    "Show",
    "Store",
    "StoreHealth",
    "log_topic",
    "row_topic",
    "session_topic",
    "text_topic",
]
