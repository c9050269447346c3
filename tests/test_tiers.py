"""What runs in which tier and in which lane, and that a test can have the machine to itself."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import lanes, support, tiers
from tests.support import ROOT, eventually, free_port

#: One test of each kind.
_TESTS = """
import pytest
from tests.tiers import keep_short, scale

def test_plain(): ...

@pytest.mark.long
def test_long(): ...

@pytest.mark.scaled
@pytest.mark.parametrize("number", [scale(short=1, long=8)])
def test_scaled(number): ...

@pytest.mark.parametrize(("one", "two"), keep_short(1, (1, 2), (3, 4)))
def test_cases(one, two): ...
"""


@pytest.mark.parametrize(
    ("tier", "selected"),
    [
        ("short", ["test_plain", "test_scaled[1]", "test_cases[1-2]"]),
        ("long", ["test_long", "test_scaled[8]", "test_cases[3-4]"]),
    ],
)
def test_a_tier_has_its_own_tests_and_its_own_numbers(
    tmp_path_factory: pytest.TempPathFactory, tier: str, selected: list[str]
) -> None:
    file = tmp_path_factory.mktemp("tier") / "test_kinds.py"
    file.write_text(_TESTS)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-c", str(ROOT / "pyproject.toml")]
    command += ["-p", "tests.conftest", "-p", "no:cacheprovider", str(file)]

    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "LULU_TEST_TIER": tier}, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line.rpartition("::")[2] for line in ran.stdout.splitlines() if "::" in line] == selected


def test_an_unknown_tier_is_refused() -> None:
    command = [sys.executable, "-c", "from tests import tiers"]

    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "LULU_TEST_TIER": "medium"}, capture_output=True, text=True, check=False
    )

    assert ran.returncode != 0
    assert "LULU_TEST_TIER is 'medium'" in ran.stderr


def test_this_run_takes_the_numbers_of_its_tier() -> None:
    assert tiers.scale(short="short", long="long") == tiers.TIER


@pytest.mark.parametrize(
    ("nodeid", "lane"),
    [
        ("tests/e2e/test_flow.py::test_words_come_without_a_run", "browser"),
        ("tests/test_support.py::test_viewers_share_no_cookies", "browser"),
        ("tests/store/test_bus.py::test_x[tests/e2e/]", "no browser"),
    ],
)
def test_the_browser_has_a_lane_of_its_own(nodeid: str, lane: str) -> None:
    assert lanes.lane_of(nodeid) == lane


@pytest.fixture
def locks(tmp_path: Path) -> dict[str, Path]:
    """The two locks of a machine that no other test knows."""
    files = {name: tmp_path / name for name in ("room", "turnstile")}
    for file in files.values():
        file.touch()
    return files


def may_lock(file: Path, how: int) -> bool:
    """Whether a lock could be had now."""
    with file.open() as opened:
        try:
            fcntl.flock(opened, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_tests_run_beside_each_other_and_one_that_is_alone_has_no_other_beside_it(locks: dict[str, Path]) -> None:
    with lanes.turn(alone=False, **locks):
        assert may_lock(locks["room"], fcntl.LOCK_SH)
        assert not may_lock(locks["room"], fcntl.LOCK_EX)
    with lanes.turn(alone=True, **locks):
        assert not may_lock(locks["room"], fcntl.LOCK_SH)
    assert may_lock(locks["room"], fcntl.LOCK_EX)


def test_no_test_begins_while_one_waits_to_be_alone(locks: dict[str, Path]) -> None:
    ran = threading.Event()

    def alone() -> None:
        with lanes.turn(alone=True, **locks):
            ran.set()

    thread = threading.Thread(target=alone)
    with lanes.turn(alone=False, **locks):
        thread.start()
        eventually(lambda: not may_lock(locks["turnstile"], fcntl.LOCK_EX))
        assert not ran.is_set()
    thread.join(60)

    assert ran.is_set()


def test_no_two_processes_get_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from tests.support import free_port; sys.stdout.write(f'{free_port()}\\n'); sys.stdin.read()"
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        taken = int(other.stdout.readline())
        monkeypatch.setattr(support, "_PORTS", range(taken, taken + 1))
        with pytest.raises(RuntimeError, match="No free port"):
            free_port()
        other.communicate(timeout=60)

    assert free_port() == taken
