"""The runtime and the actor of an owner's page, passed to the functions that draw it."""

from __future__ import annotations

from dataclasses import dataclass

from lulu import runtime
from lulu.model.actors import Actor
from lulu.runtime import Runtime
from lulu.ui import identity


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The runtime and the actor of one run of a page.

    A guest's page has none, so it can reach neither the store nor a command.
    """

    lulu: Runtime
    #: Who looked when the page was run. A fragment asks again.
    actor: Actor


def for_owner() -> PageContext:
    """Return what the page of this run is given. Raises ``Forbidden`` unless an owner looks."""
    actor = identity.actor()
    actor.require_owner()
    return PageContext(lulu=runtime.current(), actor=actor)
