"""Fixtures for what stands in front of Streamlit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import eventually
from tests.web.bells import House


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    made.thread.start()
    eventually(lambda: made.server.started)
    yield made
    made.stop()
