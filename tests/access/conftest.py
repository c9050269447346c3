"""One server for all tests of who gets in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.access.server import Lulu, seed
from tests.support import LuluServer, clean_environ


@pytest.fixture(scope="package")
def lulu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lulu]:
    """A running server, its owner signed in."""
    folder = tmp_path_factory.mktemp("access")
    server = LuluServer(folder, env={**clean_environ(folder / "home"), "LULU_AGENT": "demo"})
    tokens = seed(server.data_dir)
    server.start()
    server.sign_in()
    yield Lulu(server=server, tokens=tokens)
    server.close()
