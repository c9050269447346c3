"""Answers a request through the store: every page uses ``answer``, and shows refusals in one place."""

from __future__ import annotations

from lulu.model.commands import AddRule
from lulu.store import Approval
from lulu.ui import alerts
from lulu.ui.approvals import tool_input
from lulu.ui.page_context import PageContext

#: Prefix of the place of a refused answer; the session's id follows. The place is not the request itself: once another
#: person has answered, the request is no longer drawn.
PLACE = "approvals_"


def place(session_id: str) -> str:
    """Return the place where refused answers to this session's requests are shown."""
    return f"{PLACE}{session_id}"


def form_place(approval_id: str) -> str:
    """Return the place for errors of one request's form: below its buttons, and gone with it."""
    return f"form_{approval_id}"


def answer(
    page: PageContext,
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
    """Answer a request. Returns whether the store accepted the answer.

    ``edited`` is the changed input as the person typed it, as JSON. A changed input that a rule denies is refused.
    """

    def decide() -> None:
        changed = updated_input if edited is None else tool_input.parse(edited)
        page.lulu.store.approvals.decide(
            page.actor,
            approval.id,
            approve=approve,
            message=message,
            updated_input=changed,
            rule=rule,
            mode=mode,
            stop=stop,
        )

    return alerts.attempt(place(approval.session_id), decide)
