"""One session as somebody looks at it: what its header and its transcript are given, an owner's and a guest's alike."""

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
    """One session, from where its rows come, and with what whoever looks may act."""

    source: Source
    settings: Settings
    #: What an owner acts with; ``None`` on a guest's page, which thereby reaches no store and offers no action.
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
    """Return the view of the guest who looks; ``None`` if nothing is shared with whoever does."""
    lulu = runtime.current()
    source = shared_with(lulu.store, identity.actor())
    return SessionView(source=source, settings=lulu.settings) if source is not None else None


def of_preview(page: PageContext, session_id: SessionId, options: ShareOptions) -> SessionView:
    """Return the view that guests have of a session, for its owner."""
    source = GuestEvents(page.lulu.store, session_id, options)
    return SessionView(source=source, settings=page.lulu.settings)


def viewer_only(draw: Callable[Concatenate[SessionView, P], None]) -> Callable[Concatenate[SessionView, P], None]:
    """Decorate what draws a part of a session. In every run it asks the source whether whoever looks may see it.

    A fragment keeps its arguments, and the device or the link may have ended since. Raises ``Forbidden`` where only
    owners may look; says that nothing is shared where the link has ended.
    """

    @wraps(draw)
    def drawn(view: SessionView, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if view.source.is_open_to(identity.actor()):
            draw(view, *args, **kwargs)
        else:
            alerts.show_ended()

    return drawn
