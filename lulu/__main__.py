"""Run ``python -m lulu login`` and ``python -m lulu lan on|off``.

Each command is one HTTP request to the running Lulu, with the token of its owner.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from lulu.access.cookies import OWNER_COOKIE
from lulu.access.links import CONTROL_FILE
from lulu.errors import LuluError
from lulu.server.routes.control import PATH
from lulu.settings import load_settings

#: Seconds to wait for an answer.
_PATIENCE = 15


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="python -m lulu", description="Speak to the Lulu that runs on this computer.")
    commands = parser.add_subparsers(dest="do", required=True)
    commands.add_parser("login", help="print a fresh link that signs a browser in, once, within ten minutes")
    lan = commands.add_parser("lan", help="open Lulu to other computers of the network, or close it")
    lan.add_argument("switch", choices=["on", "off"])
    chosen = parser.parse_args(arguments)
    asked: dict[str, object] = {"do": "login"} if chosen.do == "login" else {"do": "lan", "on": chosen.switch == "on"}
    try:
        answer = ask(load_settings().data_dir, asked)
    except LuluError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write(f"{answer.get('link') or 'LAN access is ' + str(answer.get('lan')) + '.'}\n")
    return 0


def ask(data_dir: Path, asked: dict[str, object]) -> dict[str, Any]:
    """Send a command to the Lulu that uses this data folder and return its answer.

    Raises ``LuluError`` if no Lulu answers, or if Lulu refuses the command.
    """
    try:
        found = json.loads((data_dir / CONTROL_FILE).read_text())
        root, token = str(found["url"]), str(found["token"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise not_running(data_dir) from exc
    if not root.startswith(("http://", "https://")):
        raise not_running(data_dir)
    request = urllib.request.Request(
        root + PATH.lstrip("/"),
        data=json.dumps(asked).encode(),
        headers={
            "Content-Type": "application/json",
            "Cookie": f"{OWNER_COOKIE}={token}",
            "Origin": root.rstrip("/"),
        },
    )
    # Without a proxy, because the request is for this computer.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as exc:
        raise LuluError(_error_in(exc.read()) or f"Lulu refused (HTTP {exc.code}).", next_step="Restart it.") from exc
    except (OSError, ValueError) as exc:
        raise not_running(data_dir) from exc


def not_running(data_dir: Path) -> LuluError:
    """Return the error for a data folder without a running Lulu."""
    return LuluError(
        f"No running Lulu uses the data folder {data_dir}.",
        safe="Nothing was changed.",
        next_step="Start it with `make run`; it prints a link then. Or set LULU_DATA_DIR as it was set there.",
    )


def _error_in(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
