"""The one way in which a page answers a request: through the store, with what went wrong told on the page."""

from __future__ import annotations

from lulu.model.actors import Actor
from lulu.model.commands import AddRule
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.ui import alerts
from lulu.ui.approvals import tool_input

#: Where a refused answer is told begins with this; the session's id follows. Not beside the request: when somebody
#: else was first, that is gone.
PLACE = "approvals_"


def place(session_id: str) -> str:
    """Where refused answers to this session's requests are told."""
    return f"{PLACE}{session_id}"


def form_place(approval_id: str) -> str:
    """Where is told what is wrong with what was typed into a form: below its buttons, gone with it."""
    return f"form_{approval_id}"


def answer(
    lulu: Runtime,
    actor: Actor,
    approval: Approval,
    *,
    approve: bool,
    message: str | None = None,
    updated_input: dict[str, object] | None = None,
    edited: str | None = None,
    rule: AddRule | None = None,
    mode: str | None = None,
    stop: bool = False,
) -> bool:
    """Answer a request: whether the answer was taken. A changed input that a rule denies is not.

    ``edited`` is such an input as a person has typed it.
    """

    def decide() -> None:
        changed = updated_input if edited is None else tool_input.parse(edited)
        lulu.store.decide(
            actor,
            approval.id,
            approve=approve,
            message=message,
            updated_input=changed,
            rule=rule,
            mode=mode,
            stop=stop,
        )

    return alerts.attempt(place(approval.session_id), decide)
