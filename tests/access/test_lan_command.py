"""``python -m lulu lan on|off`` against a running server, and another computer that asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lulu.access.refusals import CLOSED_PAGE
from tests.access.server import Lulu
from tests.support import LuluServer, eventually

pytestmark = pytest.mark.e2e

#: The other computer's name, and the ends of the cable to it.
OTHER, END = f"lulu-{os.getpid()}", f"lulu{os.getpid()}"
HERE, THERE = (f"10.213.{os.getpid() % 256}.{number}" for number in (1, 2))
#: What ``ip`` does to lay that cable. A namespace of the network is a computer of its own, as far as a server can tell.
CABLE = (
    f"netns add {OTHER}",
    f"link add {END}a type veth peer name {END}b netns {OTHER}",
    f"addr add {HERE}/30 dev {END}a",
    f"link set {END}a up",
    f"-n {OTHER} addr add {THERE}/30 dev {END}b",
    f"-n {OTHER} link set {END}b up",
)
ASK = """
import http.client, sys
server = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=20)
server.request("GET", "/", headers={"Host": sys.argv[3]})
print(server.getresponse().status)
"""


def ip(arguments: str) -> bool:
    try:
        return subprocess.run(["ip", *arguments.split()], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture
def has_cable() -> Iterator[bool]:
    """Whether this machine let us make another computer."""
    yield all(ip(step) for step in CABLE)
    ip(f"link del {END}a")
    ip(f"netns del {OTHER}")


def status_there(server: LuluServer, host: str) -> int:
    """What the other computer is answered."""
    run = ["ip", "netns", "exec", OTHER, sys.executable, "-c", ASK, HERE, str(server.port), f"{host}:{server.port}"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_command_opens_and_closes_lulu_to_another_computer(has_cable: bool, lulu: Lulu) -> None:
    def behind_a_proxy() -> int:
        # Whoever comes through a proxy is not taken for this computer, so this asks as another one does.
        return lulu.ask("/", X_Forwarded_For=THERE).status_code

    before = behind_a_proxy()
    refused = [status_there(lulu.server, host) for host in ("localhost", HERE)] if has_cable else [403, 421]
    opened = lulu.server.command("lan", "on")
    while_open = behind_a_proxy()
    admitted = eventually(lambda: status_there(lulu.server, HERE) == 401, timeout=30) if has_cable else True
    again = lulu.server.command("lan", "on")
    closed = lulu.server.command("lan", "off")

    assert (before, refused, while_open, admitted) == (403, [403, 421], 401, True)
    assert (opened, again, closed) == ("LAN access is on.\n", "LAN access is on.\n", "LAN access is off.\n")
    assert behind_a_proxy() == 403
    assert not has_cable or status_there(lulu.server, "localhost") == 403
    assert lulu.ask("/").text == CLOSED_PAGE + "\n"
