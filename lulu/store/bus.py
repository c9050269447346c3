"""The in-process bus: after a commit, the writer says which topics changed. Knows no rows and no sockets.

A process that only reads has a bus that follows the one of the process that writes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

Listener = Callable[[str, int], None]

#: Topics whose numbers are kept, those that rang last; each session has a few.
MAX_TOPICS = 2_000

#: Any row of the session list: a new session, a status, a title, a cost.
SESSIONS = "sessions"
#: A command was written; the host listens.
COMMANDS = "commands"
#: An approval was asked for, decided or withdrawn.
APPROVALS = "approvals"
#: An auto-approve rule was added, switched or removed.
RULES = "rules"
#: The owner has answered about a folder, or taken an answer back.
FOLDERS = "folders"
#: There are events that are not in the search index yet; the host listens.
INDEX = "index"
#: The store's own health changed.
HEALTH = "health"
#: A login, a device, a share link or the LAN switch changed: who may be here is judged anew.
ACCESS = "access"
#: Somebody came to watch a shared session, or left.
VISITORS = "visitors"


def session_topic(session_id: str) -> str:
    """What the transcript of one session shows: events, whole paragraphs of live text, approvals, queued prompts."""
    return f"session:{session_id}"


def text_topic(session_id: str) -> str:
    """The words of one session as they come: the text that is being written, and texts that were just stored."""
    return f"text:{session_id}"


def log_topic(session_id: str) -> str:
    """One session's log and row, without the text that is being written: an event, a status, a request."""
    return f"log:{session_id}"


def row_topic(session_id: str) -> str:
    """One session's row: status, title, cost; and its checklist."""
    return f"row:{session_id}"


#: How the topic of a deleted session begins; the host listens.
DELETED = "deleted:"


@dataclass(frozen=True)
class BusState:
    """Numbers of topics, in the order in which they last rang; and the number of every other topic."""

    floor: int
    versions: dict[str, int]


class Bus:
    """Numbers every change of a topic. Numbers only grow, also over a restart of the process.

    A topic that has not rung for long is forgotten. Whoever asks for its number then gets one that is at least as high
    as its last: a page may look once in vain, but none holds a number that a later change does not exceed.
    """

    def __init__(self, *, follows: BusState | None = None) -> None:
        """With ``follows``, one that begins with the numbers of a bus of another process."""
        self._lock = threading.Lock()
        # Milliseconds since the epoch: a page that outlived a restart must not hold a higher number.
        self._floor = int(time.time() * 1000) if follows is None else follows.floor
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._listeners: list[Listener] = []
        if follows is not None:
            self.follow(follows)

    @property
    def size(self) -> int:
        """How many topics' numbers are kept."""
        return len(self._versions)

    def version(self, topic: str) -> int:
        """The topic's last number. Read it before the rows, so that no change can fall between."""
        with self._lock:
            return self._versions.get(topic, self._floor)

    def ring(self, topics: Iterable[str]) -> None:
        """Tell every listener that these topics changed. Called after the commit, in the writer's thread; or, for
        ``HEALTH``, in the thread that found the file damaged."""
        with self._lock:
            rung = {topic: self._versions.get(topic, self._floor) + 1 for topic in dict.fromkeys(topics)}
            self._keep(rung)
        self._tell(rung)

    def state(self, topics: Iterable[str] | None = None) -> BusState:
        """The numbers of these topics, or all that are kept."""
        with self._lock:
            wanted = list(self._versions if topics is None else topics)
            versions = {topic: self._versions.get(topic, self._floor) for topic in wanted}
            return BusState(floor=self._floor, versions=versions)

    def follow(self, state: BusState) -> None:
        """Give the numbers that the bus of another process gives from now on, and tell every listener."""
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
                    # The writer's thread must outlive any listener.
                    log.exception("a listener of the bus failed")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(topic, version)`` for every ring until the returned function is called.

        The listener runs in the writer's thread, seldom in another (always, where the bus follows one): it hands the
        news on and returns at once.
        """
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe
