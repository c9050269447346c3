"""A guest's only page: the shared session."""

from __future__ import annotations

from lulu.ui import alerts
from lulu.ui.session import guest, view

_view = view.of_guest()

if _view is None:
    alerts.show_ended()
else:
    guest.show(_view)
