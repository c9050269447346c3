"""The database: the only package that contains SQL."""

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
from lulu.store.database import StoreHealth
from lulu.store.parts.folders import FolderQuestion
from lulu.store.parts.search import Found, Hit, Query
from lulu.store.parts.sessions import Show
from lulu.store.rows import Approval, LiveText
from lulu.store.store import Store
from lulu.store.write.access import Access, AccessKind, ShareOptions
from lulu.store.write.approvals import Decision
from lulu.store.write.changes import Change, Recorded

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
