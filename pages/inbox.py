"""``/inbox``: everything that agents ask, in one place."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, inbox

inbox.show(runtime.current(), identity.actor())
