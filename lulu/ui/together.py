"""What many pages ask in one moment is read once: twenty who look at one session draw the same rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from lulu.precedence import COMMITS
from lulu.store import Store

T = TypeVar("T")

#: What is older than this (seconds) is let go when somebody asks next: twenty runs one after the other take less.
_KEPT = 2.0


@dataclass
class _Read:
    """One answer, or the place for it: who comes while it is read waits for it."""

    numbers: tuple[int, ...]
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Any = None
    #: When it was read (monotonic seconds); nothing before that.
    at: float | None = None


_reads: WeakKeyDictionary[Store, dict[Hashable, _Read]] = WeakKeyDictionary()
_lock = threading.Lock()


def once(store: Store, key: Hashable, topics: Iterable[str], read: Callable[[], T]) -> T:
    """What ``read`` returns, or returned for another page a moment ago, if none of the ``topics`` has rung since.

    ``key`` names what is read, with everything else that it depends on. The answer is everybody's: it must not be
    changed. What ``read`` raises is raised, and kept for nobody.
    """
    COMMITS.give_way()
    numbers = tuple(store.bus.version(topic) for topic in topics)
    with _lock:
        kept = _reads.setdefault(store, {})
        for old, one in list(kept.items()):
            if one.at is not None and one.at < time.monotonic() - _KEPT:
                del kept[old]
        if key not in kept or any(before < now for before, now in zip(kept[key].numbers, numbers, strict=True)):
            kept.pop(key, None)
            kept[key] = _Read(numbers)
        found = kept[key]
    with found.lock:
        if found.at is None:
            try:
                found.answer = read()
            except BaseException:
                with _lock:
                    if kept.get(key) is found:
                        del kept[key]
                raise
            found.at = time.monotonic()
        answer: T = found.answer
    return answer
