"""Every error that Lulu raises on purpose. A page may show any of them as it stands.

LuluError
├── ConfigurationError      a setting cannot be used
├── InputError              what a person typed cannot be used
├── Forbidden               this actor may not do that
├── SessionNotFound         no session has this id
├── Conflict                somebody else was first
├── StoreError
│   ├── DatabaseInUse       another Lulu holds the file
│   ├── DatabaseNewer       the file was made by a later version
│   ├── DatabaseCorrupt     the file is damaged; it is kept aside
│   ├── DatabaseUnwritable  read-only, no permission, no such folder
│   └── StoreBusy           not committed in time; nothing was accepted
└── AgentError              the agent process could not be used
"""

from __future__ import annotations


class LuluError(Exception):
    """What happened, what is safe, and what to do next: three sentences for a person."""

    def __init__(self, happened: str, *, safe: str = "", next_step: str = "") -> None:
        super().__init__(" ".join(part for part in (happened, safe, next_step) if part))
        #: What happened, one sentence.
        self.happened = happened
        #: What is not affected, one sentence or nothing.
        self.safe = safe
        #: What the reader can do now, one sentence or nothing.
        self.next_step = next_step


class ConfigurationError(LuluError):
    """A setting has a value that Lulu cannot use."""


class InputError(LuluError):
    """A person typed something that cannot be used; nothing was changed."""


class Forbidden(LuluError):
    """The actor's role does not allow this."""


class SessionNotFound(LuluError):
    """No session has this id. The id is deliberately not part of the message."""

    def __init__(self) -> None:
        super().__init__(
            "There is no session at this address.",
            safe="Nothing was changed.",
            next_step="Choose one from the list, or start a new one.",
        )


class Conflict(LuluError):
    """Somebody else was first: a compare-and-set found another value."""


class StoreError(LuluError):
    """The database file cannot be used as it is."""


class DatabaseInUse(StoreError):
    """Another Lulu process holds the lock of this file."""


class DatabaseNewer(StoreError):
    """The file was written by a later version of Lulu; it was not touched."""


class DatabaseCorrupt(StoreError):
    """The file is damaged. It is kept as it is under another name."""


class DatabaseUnwritable(StoreError):
    """The file or its folder cannot be written."""


class StoreBusy(StoreError):
    """A write was not committed in time and was withdrawn."""


class AgentError(LuluError):
    """An agent process could not be started or used."""

    def __init__(self, happened: str, *, safe: str = "", next_step: str = "", stderr: str = "") -> None:
        super().__init__(happened, safe=safe, next_step=next_step)
        #: The last lines that the process wrote to stderr: for experts, not part of the message.
        self.stderr = stderr
