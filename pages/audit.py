"""``/audit``: who came in, and who did what."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.views import audit

audit.show(runtime.current(), identity.actor())
