"""The bus of a process: after a commit, the writer reports the changed topics. Knows no rows."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

Listener = Callable[[str, int], None]

#: Topics whose versions are kept: those that changed last. Each session has a few.
MAX_TOPICS = 2_000

#: Any row of the session list: a new session, a status, a title, a cost.
SESSIONS = "sessions"
#: A command was written; the host listens.
COMMANDS = "commands"
#: A request was made, answered or cancelled.
APPROVALS = "approvals"
#: A rule was added, switched or deleted.
RULES = "rules"
#: An answer of the owner about a folder was given or deleted.
FOLDERS = "folders"
#: There are events that are not in the search index yet; the host listens.
INDEX = "index"
#: The store's own health changed.
HEALTH = "health"
#: A login, a device, a share link or the LAN switch changed; open connections are judged again.
ACCESS = "access"
#: A page of a shared session was opened or closed.
VISITORS = "visitors"


def session_topic(session_id: str) -> str:
    """Return the topic of a session's transcript: events, paragraphs, requests, queued prompts."""
    return f"session:{session_id}"


def text_topic(session_id: str) -> str:
    """Return the topic of a session's words: live text, and recently stored text blocks."""
    return f"text:{session_id}"


def log_topic(session_id: str) -> str:
    """Return the topic of a session's events, status and requests, without its live text."""
    return f"log:{session_id}"


def row_topic(session_id: str) -> str:
    """Return the topic of a session's row (status, title, cost) and checklist."""
    return f"row:{session_id}"


#: Prefix of the topic of a deleted session; the host listens.
DELETED = "deleted:"


@dataclass(frozen=True)
class BusState:
    """Versions of topics, in the order of their last change; ``floor`` is the version of all others."""

    floor: int
    versions: dict[str, int]


class Bus:
    """Counts the changes of each topic. Versions only grow, also over a restart of the process.

    A topic without changes for long is forgotten and then reports ``floor``, which is at least its last version. At
    worst a page refreshes once without need; it never misses a change.
    """

    def __init__(self, *, follows: BusState | None = None) -> None:
        """Start with versions of the current time, or with those of another process's bus."""
        self._lock = threading.Lock()
        # Milliseconds since the epoch, so that no page from before a restart has a higher version.
        self._floor = int(time.time() * 1000) if follows is None else follows.floor
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._listeners: list[Listener] = []
        if follows is not None:
            self.follow(follows)

    @property
    def size(self) -> int:
        """Number of topics with a version of their own."""
        return len(self._versions)

    def version(self, topic: str) -> int:
        """Return a topic's version. Read it before the rows, so that no change between is missed."""
        with self._lock:
            return self._versions.get(topic, self._floor)

    def ring(self, topics: Iterable[str]) -> None:
        """Report the topics as changed to every listener, after the commit.

        Runs in the writer's thread; for ``HEALTH`` also in the thread that found the file damaged.
        """
        with self._lock:
            rung = {topic: self._versions.get(topic, self._floor) + 1 for topic in dict.fromkeys(topics)}
            self._keep(rung)
        self._tell(rung)

    def state(self, topics: Iterable[str] | None = None) -> BusState:
        """Return the versions of the given topics, or of all kept ones."""
        with self._lock:
            wanted = list(self._versions if topics is None else topics)
            versions = {topic: self._versions.get(topic, self._floor) for topic in wanted}
            return BusState(floor=self._floor, versions=versions)

    def follow(self, state: BusState) -> None:
        """Take over versions of another process's bus, and report their topics to every listener."""
        with self._lock:
            self._floor = max(self._floor, state.floor)
            rung = {topic: max(number, self._versions.get(topic, 0)) for topic, number in state.versions.items()}
            self._keep(rung)
        self._tell(rung)

    def _keep(self, rung: Mapping[str, int]) -> None:
        for topic, version in rung.items():
            self._versions[topic] = version
            self._versions.move_to_end(topic)
        while len(self._versions) > MAX_TOPICS:
            _, forgotten = self._versions.popitem(last=False)
            self._floor = max(self._floor, forgotten)

    def _tell(self, rung: Mapping[str, int]) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            for topic, version in rung.items():
                try:
                    listener(topic, version)
                except Exception:
                    # The writer's thread must survive any listener.
                    log.exception("a listener of the bus failed")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(topic, version)`` for every change until the returned function is called.

        The listener usually runs in the writer's thread, so it must pass the news on and return immediately.
        """
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe
