"""Lulu with the real Claude Code against the scripted Messages API: commands go in, rows come out."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any, Literal, TypeVar

import claude_agent_sdk
import psutil

from lulu import runtime
from lulu.model.actors import Actor, Role
from lulu.model.commands import AddRule, Command, Interrupt, SendPrompt, StartSession
from lulu.model.events import Error, Event, Result, System, Text, ToolResult, ToolUse, User
from lulu.model.sessions import ENDED, Launch, Session, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.store import Approval
from tests.messages_api import MessagesApi, Request
from tests.scenarios import text_of
from tests.support import eventually

Kind = TypeVar("Kind", bound=Event)

OWNER = Actor(role=Role.OWNER, name="this computer")
#: A process starts in about a second; two cores may be busy with others.
SECONDS = 60


class Claude:
    """One Lulu on one data folder, which may be stopped and started again."""

    def __init__(self, api: MessagesApi, folder: Path) -> None:
        self.api = api
        self.folder = folder
        self.work = folder / "project"
        self.work.mkdir(exist_ok=True)
        #: The test damages a transcript: else nothing may be told to be forgotten.
        self.damages = False

    @property
    def lulu(self) -> Runtime:
        """The one that runs."""
        return runtime.current()

    def start(self, **settings: object) -> Runtime:
        """Start Lulu, or stop it and start it anew."""
        runtime.stop()
        values = {"data_dir": self.folder / "lulu", "agent": "claude", "max_retries": 0, **settings}
        lulu = runtime.start(Settings.model_validate(values))
        # Where that takes long, a start does not wait for it.
        assert lulu.host._recovered.wait(SECONDS)
        return lulu

    def allow(self, *rules: str) -> None:
        """Write the user's own settings: Claude Code then does not ask for these."""
        path = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"permissions": {"allow": list(rules)}}))

    def hook(self, event: str, command: str) -> None:
        """Write the user's own settings: Claude Code runs the command at this event."""
        path = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"hooks": {event: [{"hooks": [{"type": "command", "command": command}]}]}}))

    def executable(self, script: str) -> Path:
        """A shell script to be started in the place of Claude Code."""
        path = self.folder / "claude-code"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    # -- commands ----------------------------------------------------------------------------------------------------

    def launch(
        self, prompt: str, *, session_id: SessionId | None = None, folder: Path | None = None, **values: Any
    ) -> SessionId:
        """A new session with its first prompt."""
        session_id = session_id or new_session_id()
        launch = Launch(prompt=prompt, working_directory=str(folder or self.work), agent="claude", **values)
        self.lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
        return session_id

    def stored(self) -> SessionId:
        """A session that is only a row, of an agent that runs."""
        launch = Launch(prompt="only a row", working_directory=str(self.work), agent="claude")
        return self.lulu.store.sessions.insert(launch, status=SessionStatus.RUNNING)

    def send(self, session_id: SessionId, text: str) -> None:
        """Another prompt."""
        self.lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text=text))

    def stop(self, session_id: SessionId) -> None:
        """The Stop button."""
        self.lulu.store.commands.submit(Interrupt(actor=OWNER, session_id=session_id))

    def do(self, kind: type[Command], session_id: SessionId, **values: Any) -> None:
        """Any other command."""
        self.lulu.store.commands.submit(kind(actor=OWNER, session_id=session_id, **values))

    def decide(self, approval: Approval, **answer: Any) -> None:
        """Answer a request, as ``Approvals.decide``."""
        self.lulu.store.approvals.decide(OWNER, approval.id, **answer)

    def rule(self, pattern: str, action: Literal["approve", "deny"]) -> None:
        """A rule that holds everywhere."""
        self.lulu.store.commands.submit(AddRule(actor=OWNER, tool_pattern=pattern, action=action))

    def turn(self, session_id: SessionId, text: str) -> Session:
        """One more prompt, answered."""
        turns = len(self.results(session_id)) + 1
        self.send(session_id, text)
        return self.ended(session_id, turns=turns)

    def send_and_fail(self, session_id: SessionId, text: str) -> Session:
        """One more prompt, which fails before there is a result."""
        errors = len(self.of(session_id, Error))
        self.send(session_id, text)
        eventually(lambda: len(self.of(session_id, Error)) > errors, timeout=SECONDS)
        return self.has(session_id, SessionStatus.FAILED)

    # -- rows --------------------------------------------------------------------------------------------------------

    def session(self, session_id: SessionId) -> Session:
        """The row."""
        return self.lulu.store.sessions.get(session_id)

    def events(self, session_id: SessionId) -> list[Event]:
        """The whole log."""
        return [stored.event for stored in self.lulu.store.events.of_session(session_id)]

    def of(self, session_id: SessionId, kind: type[Kind]) -> list[Kind]:
        """The events of one kind."""
        return [event for event in self.events(session_id) if isinstance(event, kind)]

    def results(self, session_id: SessionId) -> list[Result]:
        """The ends of turns."""
        return self.of(session_id, Result)

    def texts(self, session_id: SessionId) -> list[str]:
        """What the agent said."""
        return [event.content for event in self.of(session_id, Text)]

    def texts_of_main(self, session_id: SessionId) -> list[str]:
        """What the agent itself said, without its sub-agents."""
        return [event.content for event in self.of(session_id, Text) if event.parent is None]

    def notes(self, session_id: SessionId) -> list[str]:
        """The subtypes of the system events."""
        return [event.subtype for event in self.of(session_id, System)]

    def of_subtype(self, session_id: SessionId, subtype: str) -> list[dict[str, Any]]:
        """The data of the system events of this subtype."""
        return [event.data or {} for event in self.of(session_id, System) if event.subtype == subtype]

    def note(self, session_id: SessionId, subtype: str) -> System:
        """The latest system event of this subtype, as soon as there is one."""
        found = eventually(
            lambda: [one for one in self.of(session_id, System) if one.subtype == subtype], timeout=SECONDS
        )
        return found[-1]

    def commands(self, session_id: SessionId) -> list[str]:
        """How each command went that was given for the session."""
        # No page shows them all yet.
        return self._statuses("SELECT status FROM commands WHERE session_id = ? ORDER BY id", session_id)

    def status_in_file(self, session_id: SessionId) -> str:
        """The session's status, whichever process has the file open."""
        return self._statuses("SELECT status FROM sessions WHERE id = ?", session_id)[0]

    def _statuses(self, sql: str, session_id: SessionId) -> list[str]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/lulu/lulu.db?mode=ro", uri=True)) as database:
            return [status for (status,) in database.execute(sql, (session_id,))]

    def outline(self, session_id: SessionId) -> str:
        """The log in few words, without ``init``."""
        return " ".join(filter(None, map(_word, self.events(session_id))))

    # -- waiting -----------------------------------------------------------------------------------------------------

    def has(self, session_id: SessionId, *statuses: SessionStatus, within: float = SECONDS) -> Session:
        """The row once its status is one of these."""

        def look() -> Session | None:
            session = self.session(session_id)
            return session if session.known_status in statuses else None

        return eventually(look, timeout=within)

    def ended(self, session_id: SessionId, *, turns: int = 1, within: float = SECONDS) -> Session:
        """The row once that many turns have a result and none is under way."""

        def look() -> Session | None:
            session = self.session(session_id)
            done = len(self.results(session_id)) >= turns
            return session if done and session.known_status in ENDED else None

        return eventually(look, timeout=within)

    def asked(self, session_id: SessionId) -> Approval:
        """The open request, as soon as there is one."""
        return eventually(lambda: self.lulu.store.approvals.find(session_id), timeout=SECONDS)[0]

    def says(self, session_id: SessionId, words: str) -> str:
        """The live text, once it contains these words."""

        def look() -> str | None:
            live = self.lulu.store.events.live_text(session_id)
            return live.text if live and words in live.text else None

        return eventually(look, timeout=SECONDS)

    def watch_live(self, session_id: SessionId, *, turns: int) -> list[str]:
        """The live texts that were shown until that many turns had a result."""
        shown: list[str] = []

        def look() -> bool:
            live = self.lulu.store.events.live_text(session_id)
            if live is not None and [live.text] != shown[-1:]:
                shown.append(live.text)
            return len(self.results(session_id)) >= turns

        eventually(look, timeout=SECONDS)
        return shown

    def process(self, session_id: SessionId) -> psutil.Process:
        """The session's process, as soon as the row names it."""
        pid = eventually(lambda: self.session(session_id).agent_pid, timeout=SECONDS)
        return psutil.Process(pid)

    # -- what the API saw --------------------------------------------------------------------------------------------

    def times_asked(self, session_id: SessionId, words: str) -> int:
        """In how many of its messages the conversation has these words by now."""
        return sum(words in said for said in prompts_in(self.requests(session_id)[-1]))

    def is_asked(self, words: str) -> bool:
        """Whether a request has come with these words in its last prompt."""
        return any(words in prompts_in(request)[-1] for request in self.api.requests)

    def requests(self, session_id: SessionId) -> list[Request]:
        """The requests of this session's conversation."""
        conversation = self.session(session_id).session_id_claude
        return [request for request in self.api.requests if request.session_id == conversation]


def prompts_in(request: Request) -> list[str]:
    """The texts of the user's messages in a request, each with what Claude Code adds."""
    return [text_of(message["content"]) for message in request.body["messages"] if message["role"] == "user"]


def bundled_cli() -> Path:
    """The Claude Code that comes with the SDK."""
    return Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


def has_prompt(request: Request, text: str) -> bool:
    """Whether one of the user's messages in a request says this."""
    return any(text in said for said in prompts_in(request))


def tool_results_in(request: Request) -> list[str]:
    """The tools' answers in a request."""
    contents = [message["content"] for message in request.body["messages"] if message["role"] == "user"]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return [text_of(block.get("content")) for block in blocks if block.get("type") == "tool_result"]


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs. One that nobody has buried yet (a container may have no init) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def command_of(process: psutil.Process) -> str:
    """What it was started with; nothing where it is gone by now, as short-lived ones are at any moment."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def tools_of(process: psutil.Process) -> list[psutil.Process]:
    """What an agent runs now."""
    try:
        return [child for child in process.children(recursive=True) if is_alive(child)]
    except psutil.Error:
        return []


def agents_now() -> list[psutil.Process]:
    """The Claude Code processes that this process has started and that still live."""
    return [process for process in psutil.Process().children() if is_alive(process)]


def _word(event: Event) -> str:
    match event:
        case System(subtype="init"):
            return ""
        case System():
            return event.subtype
        case ToolUse():
            return event.name
        case ToolResult():
            return "failed" if event.is_error else "done"
        case Text(partial=True):
            return "partial"
        case User() | Text() | Result() | Error():
            return event.type
    return event.type
