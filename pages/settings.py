"""``/settings``: the values in force and which agent is at work."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, settings_page

settings_page.show(runtime.current(), identity.actor())
