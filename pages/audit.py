"""``/audit``: who came in, and who did what."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import audit, identity

audit.show(runtime.current(), identity.actor())
