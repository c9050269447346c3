"""One session for one reader: the data and the actions of its header and its transcript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from lulu import runtime
from lulu.access.guest_view import GuestEvents, shared_with
from lulu.access.source import OwnerEvents, Source
from lulu.model.sessions import SessionId
from lulu.settings import Settings
from lulu.store import ShareOptions
from lulu.ui import alerts, identity
from lulu.ui.page_context import PageContext

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """One session with the source of its rows and the actions of its reader."""

    source: Source
    settings: Settings
    #: The context of an owner's actions. ``None`` on a guest's page, which therefore has no store and no actions.
    page: PageContext | None = None

    @property
    def session_id(self) -> SessionId:
        """The session."""
        return self.source.session_id


def of_owner(page: PageContext, session_id: SessionId) -> SessionView:
    """Return the view of an owner, with all that is stored."""
    source = OwnerEvents(page.lulu.store, session_id)
    return SessionView(source=source, settings=page.lulu.settings, page=page)


def of_guest() -> SessionView | None:
    """Return the view of this page's guest; ``None`` if no session is shared with this browser."""
    lulu = runtime.current()
    source = shared_with(lulu.store, identity.actor())
    return SessionView(source=source, settings=lulu.settings) if source is not None else None


def of_preview(page: PageContext, session_id: SessionId, options: ShareOptions) -> SessionView:
    """Return the view that guests have of a session, for its owner."""
    source = GuestEvents(page.lulu.store, session_id, options)
    return SessionView(source=source, settings=page.lulu.settings)


def viewer_only(draw: Callable[Concatenate[SessionView, P], None]) -> Callable[Concatenate[SessionView, P], None]:
    """Decorate a function that draws a part of a session. It asks the source in every run.

    A fragment keeps its arguments, and the device or the link may have ended since. Raises ``Forbidden`` if only owners
    may see the session. Says that nothing is shared if the link has ended.
    """

    @wraps(draw)
    def drawn(view: SessionView, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if view.source.is_open_to(identity.actor()):
            draw(view, *args, **kwargs)
        else:
            alerts.show_ended()

    return drawn
