"""Where this server is reached, as Streamlit's options have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lulu.errors import LuluError

_HERE = "127.0.0.1"


class OwnAddress:
    """The addresses that links begin with, each with a slash at its end; ``option`` gives an option's value by name."""

    def __init__(self, option: Callable[[str], Any]) -> None:
        self._option = option

    def here(self) -> str:
        """The address for this computer. Raises ``LuluError`` for options under which no link leads anywhere."""
        if base := str(self._option("server.baseUrlPath") or "").strip("/"):
            raise LuluError(
                f"Lulu's links and its sign-in need the root of an address, and `server.baseUrlPath` is {base!r}.",
                next_step="Leave that option out. Behind a proxy, give Lulu a name of its own (LULU_PUBLIC_URL).",
            )
        if not self._option("server.port"):
            raise LuluError(
                "Lulu's links need a port that stays, and `server.port` is 0.",
                next_step="Name a port, for example `--server.port 8600`.",
            )
        return self._root(_HERE)

    def in_the_network(self, address: str) -> str:
        """The address for other computers; ``address`` is this computer's, where the server listens on every one."""
        return self._root(address)

    def pinned(self) -> str:
        """The one address that the server listens on; empty for every one."""
        address = str(self._option("server.address") or "").strip().strip("[]")
        return address if address.strip("0.:") else ""

    def _root(self, everywhere: str) -> str:
        scheme = "https" if self._option("server.sslCertFile") else "http"
        address = self.pinned() or everywhere
        host = f"[{address}]" if ":" in address else address
        return f"{scheme}://{host}:{self._option('server.port')}/"
