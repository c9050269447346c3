"""``/``: start a session; see live sessions."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.home import new_session

_page = page_context.for_owner()
new_session.show(_page)
new_session.show_now(_page)
