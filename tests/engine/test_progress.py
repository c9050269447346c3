"""Where a session's agent stands: what each thing that it says changes in the rows."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from lulu.agent import Translation, TurnEnd
from lulu.engine.turns import Progress
from lulu.model.sessions import SessionStatus


def end(status: SessionStatus) -> Translation:
    """The result of a turn that nobody here asked for."""
    told = TurnEnd(status=status, prompt_uuids=[], asked=False, cost_usd=0.0, duration_ms=1.0, num_turns=1)
    return Translation(turn_end=told)


#: What an agent still says when nobody's turn runs, and what that makes of the session.
LATE = [
    ([Translation(state="running"), Translation(state="idle")], SessionStatus.COMPLETED),
    ([end(SessionStatus.FAILED)], SessionStatus.FAILED),
    (
        [Translation(is_init=True), end(SessionStatus.COMPLETED)],
        SessionStatus.COMPLETED,
    ),
]


@pytest.mark.parametrize("is_taken", [False, True])
@pytest.mark.parametrize(("said", "status"), LATE)
def test_how_the_last_turn_ended_says_nothing_of_a_session_whose_next_prompt_is_taken(
    said: list[Translation], status: SessionStatus, is_taken: bool
) -> None:
    progress = Progress("session")
    *before, last = said
    for one in before:
        progress.follow(one, turn=None, is_asking=False, is_fork=False, is_stopping=False)

    with progress.expecting() if is_taken else nullcontext():
        change = progress.follow(last, turn=None, is_asking=False, is_fork=False, is_stopping=False)

    assert change.status == (None if is_taken else status)
