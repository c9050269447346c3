"""The one form of a stored time: it is read back, and no stored text can make reading fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lulu.model.timestamps import now, parse_optional_time, parse_time, time_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Any text that Python can hold, and texts that are almost times.
TEXTS = st.text(st.characters(categories=None)) | st.text(st.sampled_from("0123456789-:.T+Z \0\ud800"))


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    noon = datetime(2026, 11, 22, 14, 0, 0, 1_999, tzinfo=timezone(timedelta(hours=2)))

    assert time_text(noon) == "2026-11-22T12:00:00.001Z"


@pytest.mark.parametrize("column", [None, ""])
def test_an_empty_column_is_no_time(column: object) -> None:
    assert parse_optional_time(column) is None


def test_now_is_read_back() -> None:
    before = datetime.now(UTC)

    text = now()

    assert len(text) == len("2026-11-22T12:00:00.000Z")
    assert text.endswith("Z")
    assert 0 <= (parse_time(text) - before).total_seconds() + 0.001 < 5


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2025-03-01 07:08:09", datetime(2025, 3, 1, 7, 8, 9, tzinfo=UTC)),
        ("2025-03-01T07:08:09.123Z", datetime(2025, 3, 1, 7, 8, 9, 123_000, tzinfo=UTC)),
        ("2025-03-01T07:08:09", datetime(2025, 3, 1, 7, 8, 9, tzinfo=UTC)),
        ("2025-03-01T07:08:09+14:00", datetime(2025, 2, 28, 17, 8, 9, tzinfo=UTC)),
        ("2025-03-01T07:08:09.123456-12:00", datetime(2025, 3, 1, 19, 8, 9, 123_456, tzinfo=UTC)),
        ("2025-03-01", datetime(2025, 3, 1, tzinfo=UTC)),
        ("9998-12-31T23:59:59-14:00", datetime(9999, 1, 1, 13, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", EPOCH),
        ("9999-12-31T23:59:59-14:00", EPOCH),
        ("0001-01-01T00:00:00+14:00", EPOCH),
        ("10000-01-01T00:00:00Z", EPOCH),
        ("2025-13-01", EPOCH),
        ("2025-02-30 00:00:00", EPOCH),
        ("-4712-11-24 12:00:00", EPOCH),
        ("yesterday", EPOCH),
        ("", EPOCH),
        ("\0", EPOCH),
        ("\ud800", EPOCH),
        (None, EPOCH),
        (b"2025-03-01", EPOCH),
        (float("nan"), EPOCH),
        ([], EPOCH),
        ("x" * 1_000_000, EPOCH),
    ],
    ids=lambda value: ascii(str(value)[:30]),
)
def test_times_of_any_form(text: object, read: datetime) -> None:
    assert parse_time(text) == read


@settings(max_examples=500)
@given(TEXTS | st.datetimes().map(str) | st.integers() | st.floats() | st.binary() | st.none())
def test_no_time_makes_a_page_fail(text: object) -> None:
    read = parse_time(text)

    assert read.tzinfo is UTC
    # Also where a page shows it in the viewer's own time zone.
    for hours in ("+14:00", "-14:00"):
        read.astimezone(datetime.fromisoformat(f"2025-01-01T00:00:00{hours}").tzinfo)
