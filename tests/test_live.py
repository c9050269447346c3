"""How often the text that an agent is writing is stored."""

from __future__ import annotations

import pytest

from lulu.live import FEW, LIVE_SECONDS, MOST_SECONDS, LivePace, Writers


@pytest.mark.parametrize(
    ("count", "pause"),
    [(0, LIVE_SECONDS), (1, LIVE_SECONDS), (FEW, LIVE_SECONDS), (2 * FEW, 2 * LIVE_SECONDS), (100, MOST_SECONDS)],
)
def test_the_pause_grows_with_the_number_of_sessions_that_are_written(count: int, pause: float) -> None:
    writers = Writers()
    for _ in range(count):
        writers.note(LivePace(lambda live: None, writers), writes=True)

    assert writers.pause == pytest.approx(pause)


def test_who_has_stopped_writing_counts_no_longer() -> None:
    writers = Writers()
    paces = [LivePace(lambda live: None, writers) for _ in range(3 * FEW)]
    for pace in paces:
        writers.note(pace, writes=True)

    for pace in paces[FEW:]:
        pace.forget()

    assert writers.pause == pytest.approx(LIVE_SECONDS)
