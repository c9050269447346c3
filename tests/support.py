"""What tests share: waiting for something to hold, and a whole Lulu in a process of its own."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

#: The checkout that is tested.
ROOT = Path(__file__).resolve().parent.parent

#: Variables that change what Lulu or an agent does.
_OURS = ("LULU_", "ANTHROPIC_", "CLAUDE", "STREAMLIT_", "XDG_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")

#: The ports of the tests' servers; Linux gives away those from 32,768 on, macOS those from 49,152 on.
_PORTS = range(20_000, 30_000)
#: Not the tests' own ``random``, which a property test seeds.
_CHOICE = random.SystemRandom()
#: Open until this process ends.
_HELD: list[socket.socket] = []

T = TypeVar("T")


def clean_environ(home: Path) -> dict[str, str]:
    """This process's environment with another home, and no setting or credential of the person who started it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_OURS) and name.lower() not in _PROXIES
    }
    home.mkdir(parents=True, exist_ok=True)
    return {**kept, "HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude")}


def eventually(
    check: Callable[[], T | None],
    *,
    timeout: float = 30,
    every: float = 0.02,
    retry_on: tuple[type[Exception], ...] = (),
) -> T:
    """What ``check`` returns as soon as that is true; until then it is asked again.

    A check that raises ``AssertionError``, or one of ``retry_on``, is asked again too. Raises ``AssertionError`` after
    ``timeout`` seconds, with the last answer or failure. With Playwright, prefer ``expect(...)``: while this waits, no
    message of the browser is read.
    """
    end = time.monotonic() + timeout
    retried: tuple[type[Exception], ...] = (AssertionError, *retry_on)
    while True:
        failure: Exception | None = None
        answer: T | None = None
        try:
            answer = check()
        except retried as exc:
            failure = exc
        if failure is None and answer:
            return answer
        if time.monotonic() > end:
            last = f"it failed: {failure}" if failure else f"it returned {answer!r}"
            raise AssertionError(f"Not true within {timeout:g} s; the last time, {last}") from failure
        time.sleep(every)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, and that is this process's own until it ends.

    A server of a test may end and start again on its port. The numbers are below those that a system gives away by
    itself. Who holds the UDP port of a number has the number: no other test process takes it.
    """
    for _ in range(1_000):
        port = _CHOICE.choice(_PORTS)
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind(("127.0.0.1", port))
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        _HELD.append(holder)
        return port
    raise RuntimeError(f"No free port of {_PORTS} was found on 127.0.0.1.")


def process_tree(pid: int) -> list[psutil.Process]:
    """The process and all its descendants, parents first; empty when there is no such process."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class LuluServer:
    """``streamlit run lulu_app.py`` in a process of its own, on a free port, with its own folders.

    The environment is this process's (which ``conftest`` made clean) plus ``env``. Its data folder is
    ``folder / "data"`` and it runs in ``folder / "work"``; both outlive a restart.
    """

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        script: Path | None = None,
        files: int | None = None,
    ) -> None:
        #: How many files it may open; nothing: as many as this process may.
        self._files = files
        self.port = free_port()
        self.data_dir = folder / "data"
        self.work_dir = folder / "work"
        self._log = folder / "server.log"
        self._script = script or ROOT / "lulu_app.py"
        self._env = {**os.environ, "LULU_DATA_DIR": str(self.data_dir), "LULU_OPEN_BROWSER": "false", **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._cookie: str | None = None
        self._seen: set[psutil.Process] = set()
        self.work_dir.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """The address of the home page, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def login_link(self) -> str:
        """The one-time link that it printed last. Raises ``AssertionError`` where there is none."""
        links = re.findall(r"^Lulu is ready: (\S+)$", self.log, re.MULTILINE)
        assert links, self.log
        return str(links[-1])

    @property
    def has_login(self) -> bool:
        """Whether it printed a link to sign in with: a small app of a test does not."""
        return "/login?t=" in self.log

    def sign_in(self) -> str:
        """An owner's cookie, as ``name=value``: of the printed link, or the one that was got before."""
        if self._cookie is None:
            answer = httpx.get(self.login_link, timeout=60, trust_env=False, verify=False)
            assert answer.status_code == 303, self.log
            self._cookie = answer.headers["set-cookie"].split(";", 1)[0]
        return self._cookie

    def command(self, *arguments: str) -> str:
        """What ``python -m lulu`` prints."""
        run = [sys.executable, "-m", "lulu", *arguments]
        done = subprocess.run(run, cwd=ROOT, env=self._env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data_dir / "lulu.db"

    @property
    def pid(self) -> int:
        """The server's process. Raises ``RuntimeError`` when it is not running."""
        return self._running().pid

    @property
    def log(self) -> str:
        """Everything that it printed, over all restarts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self, *, timeout: float = 120) -> float:
        """Start it and wait until ``GET /healthz`` answers 200; returns the seconds that this took."""
        self.launch()
        began = time.monotonic()
        eventually(self._answers, timeout=timeout, every=0.05)
        return time.monotonic() - began

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting: for a Lulu that is expected to refuse."""
        if self._process is not None and self._process.poll() is None:
            raise RuntimeError("This server is already running.")
        command = [sys.executable, "-m", "streamlit", "run", str(self._script), "--server.port", str(self.port)]
        if self._files is not None:
            soft = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({self._files},) * 2); "
            command = [sys.executable, "-c", soft + "os.execv(sys.argv[1], sys.argv[1:])", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.work_dir, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self._process

    def kill9(self) -> None:
        """End it as a power cut would; its child processes are left to themselves."""
        process = self._running()
        self._remember()
        process.kill()
        process.wait(timeout=60)

    def terminate(self, *, signal_number: int = signal.SIGTERM, timeout: float = 60) -> float:
        """Ask it to end and wait; returns the seconds that this took."""
        process = self._running()
        self._remember()
        began = time.monotonic()
        process.send_signal(signal_number)
        try:
            process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"The server was still there {timeout:g} s after signal {signal_number}.") from None
        return time.monotonic() - began

    def restart(self, *, timeout: float = 120) -> float:
        """End it if it runs, and start it on the same port and folders; returns the seconds of the start."""
        if self._process is not None and self._process.poll() is None:
            self.terminate()
        return self.start(timeout=timeout)

    def close(self) -> None:
        """End it and every process that it was seen to have started. Does nothing when all are gone."""
        self._remember()
        for process in self._seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait(timeout=60)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"The server is not running.\n{self.log}")
        return self._process

    def _remember(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._seen.update(process_tree(self._process.pid))

    def _answers(self) -> bool:
        process = self._process
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"The server ended with code {process.returncode} while it started.\n{self.log}")
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False, verify=False).status_code == 200
        except httpx.TransportError:
            return False
