"""``/audit``: sign-ins, and the commands of each actor."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.views import audit

audit.show(page_context.for_owner())
