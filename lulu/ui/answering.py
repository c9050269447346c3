"""The one way in which a page answers a request: through the store, with what went wrong told on the page."""

from __future__ import annotations

from lulu.actors import Actor
from lulu.asking import refusal
from lulu.commands import AddRule
from lulu.errors import InputError
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.ui import notices, requested

#: Where a refused answer is told begins with this; the session's id follows. Not beside the request: when somebody
#: else was first, that is gone.
PLACE = "approvals_"


def place(session_id: str) -> str:
    """Where refused answers to this session's requests are told."""
    return f"{PLACE}{session_id}"


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
        changed = updated_input if edited is None else requested.parse(edited)
        if approve and changed is not None:
            _check(lulu, approval, changed)
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

    return notices.attempt(place(approval.session_id), decide)


def _check(lulu: Runtime, approval: Approval, updated_input: dict[str, object]) -> None:
    refused = refusal(lulu.store, lulu.settings, approval.session_id, approval.tool_name, updated_input)
    if refused is not None:
        raise InputError(
            f"This input is denied: {refused.why}",
            safe="Nothing was run, and the request is still open.",
            next_step="Change the input, deny the request, or switch the rule off in Settings."
            if refused.rule
            else "Change the input, or deny the request.",
        )
