"""Define every error that Lulu raises on purpose. A page may show the message of each.

LuluError
├── ConfigurationError      a setting cannot be used
├── InputError              the typed input cannot be used
├── Forbidden               this actor may not do that
├── SessionNotFound         no session has this id
├── Conflict                another change was committed first
├── StoreError
│   ├── DatabaseInUse       another Lulu process holds the file
│   ├── DatabaseNewer       a later version of Lulu made the file
│   ├── DatabaseCorrupt     the file is damaged; it is moved to another name
│   ├── DatabaseUnwritable  read-only, no permission, no such folder
│   └── StoreBusy           not committed in time; nothing was changed
└── AgentError              the agent process could not be used
"""

from __future__ import annotations


class LuluError(Exception):
    """Base of all errors. Its message says what happened, what is safe and what to do next."""

    def __init__(self, happened: str, *, safe: str = "", next_step: str = "") -> None:
        super().__init__(" ".join(part for part in (happened, safe, next_step) if part))
        #: What happened, one sentence.
        self.happened = happened
        #: What is not affected: one sentence, or an empty string.
        self.safe = safe
        #: What the reader can do now: one sentence, or an empty string.
        self.next_step = next_step


class ConfigurationError(LuluError):
    """A setting has a value that Lulu cannot use."""


class InputError(LuluError):
    """The input that a person typed cannot be used; nothing was changed."""


class Forbidden(LuluError):
    """The actor's role does not allow this."""


class SessionNotFound(LuluError):
    """No session has this id. The message leaves the id out on purpose."""

    def __init__(self) -> None:
        super().__init__(
            "There is no session at this address.",
            safe="Nothing was changed.",
            next_step="Choose one from the list, or start a new one.",
        )


class Conflict(LuluError):
    """Another change was committed first: a compare-and-set met a value other than the expected one."""


class StoreError(LuluError):
    """The database file cannot be used as it is."""


class DatabaseInUse(StoreError):
    """Another Lulu process holds the lock of this file."""


class DatabaseNewer(StoreError):
    """A later version of Lulu wrote the file. It was not changed."""


class DatabaseCorrupt(StoreError):
    """The file is damaged. It is kept unchanged under another name."""


class DatabaseUnwritable(StoreError):
    """The file or its folder cannot be written."""


class StoreBusy(StoreError):
    """A write was not committed in time and was withdrawn."""


class AgentError(LuluError):
    """An agent process could not be started or used."""

    def __init__(self, happened: str, *, safe: str = "", next_step: str = "", stderr: str = "") -> None:
        super().__init__(happened, safe=safe, next_step=next_step)
        #: The last lines that the process wrote to stderr. They are for experts and not part of the message.
        self.stderr = stderr
