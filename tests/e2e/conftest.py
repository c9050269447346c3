"""The tiny app, once for each module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.edge.driver import Edge


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """One server for all tests of this module."""
    running = Edge(tmp_path_factory.mktemp("edge"))
    running.process.start()
    yield running
    running.close()
