"""Whatever address has no page."""

from __future__ import annotations

from lulu.ui import identity, notices

identity.actor().require_owner()
notices.no_such_page()
