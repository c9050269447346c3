"""The addresses of this server, from Streamlit's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lulu.errors import LuluError

_HERE = "127.0.0.1"


class OwnAddress:
    """The roots of links, each with a slash at the end. ``option`` returns an option's value by name."""

    def __init__(self, option: Callable[[str], Any]) -> None:
        self._option = option

    def here(self) -> str:
        """Return the address for this computer. Raises ``LuluError`` if no link can work with the options."""
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
        """Return the address for other computers. ``address``: this computer's, unless one is set."""
        return self._root(address)

    def pinned(self) -> str:
        """Return the one address that the server listens on, or an empty string if it listens on all."""
        address = str(self._option("server.address") or "").strip().strip("[]")
        return address if address.strip("0.:") else ""

    def _root(self, everywhere: str) -> str:
        scheme = "https" if self._option("server.sslCertFile") else "http"
        address = self.pinned() or everywhere
        host = f"[{address}]" if ":" in address else address
        return f"{scheme}://{host}:{self._option('server.port')}/"
