"""What an owner's page is given: the running Lulu, and who looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from lulu import runtime
from lulu.model.actors import Actor
from lulu.runtime import Runtime
from lulu.ui import identity


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The running Lulu, and the owner who looks. A guest's page has none, and thereby no store and no command."""

    lulu: Runtime
    #: Who looked when the page was run. A fragment asks again.
    actor: Actor


def for_owner() -> PageContext:
    """Return what the page of this run is given. Raises ``Forbidden`` unless an owner looks."""
    actor = identity.actor()
    actor.require_owner()
    return PageContext(lulu=runtime.current(), actor=actor)
