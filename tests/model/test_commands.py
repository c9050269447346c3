"""Commands: every kind survives its row, and what cannot be carried out is refused with a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.errors import InputError
from lulu.model import commands
from lulu.model.actors import Actor, Role
from lulu.model.commands import (
    AgentCommand,
    Interrupt,
    Rename,
    SendNow,
    SendPrompt,
    SetBudget,
    SetModel,
    SetPermissionMode,
    StartSession,
)
from lulu.model.sessions import Launch, SessionId
from lulu.model.validation import (
    MAX_ATTACHMENT_BYTES,
    MAX_PROMPT,
    Attachment,
    checked_folder,
    checked_mode,
    checked_prompt,
)

OWNER = Actor(role=Role.OWNER, name="this computer")
SESSION = SessionId("s")
LAUNCH = Launch(prompt="p", working_directory="/", model="opus", title="t", max_cost_usd=1, max_turns=3)

AGENT_COMMANDS: list[AgentCommand] = [
    StartSession(actor=OWNER, session_id=SESSION, launch=LAUNCH),
    StartSession(actor=OWNER, session_id=SESSION, launch=Launch(prompt="\0\ud800", working_directory="/é")),
    SendPrompt(actor=OWNER, session_id=SESSION, text="--help"),
    SendNow(actor=OWNER, session_id=SESSION, text="\u202e😀"),
    Interrupt(actor=OWNER, session_id=SESSION),
    SetPermissionMode(actor=OWNER, session_id=SESSION, mode="plan"),
    SetModel(actor=OWNER, session_id=SESSION, model=None),
    SetModel(actor=OWNER, session_id=SESSION, model="sonnet"),
]


def _round_trip(command: AgentCommand) -> AgentCommand:
    payload = commands.encode(command)
    assert payload.isascii()
    decoded, attachment_ids = commands.decode(command.kind, command.session_id, payload, command.actor.name)
    assert attachment_ids == []
    return decoded


@pytest.mark.parametrize("command", AGENT_COMMANDS, ids=lambda command: command.kind)
def test_agents_commands_survive_their_row(command: AgentCommand) -> None:
    assert _round_trip(command) == command


def test_every_command_of_the_agent_is_tried() -> None:
    kinds = {kind for kind in commands.KINDS.values() if issubclass(kind, AgentCommand)}

    assert {type(command) for command in AGENT_COMMANDS} == kinds
    assert all(name == kind.kind for name, kind in commands.KINDS.items())


@given(st.text())
def test_any_prompt_survives(text: str) -> None:
    assert _round_trip(SendPrompt(actor=OWNER, session_id=SESSION, text=text)) == SendPrompt(
        actor=OWNER, session_id=SESSION, text=text
    )


def test_attachments_are_named_by_their_rows() -> None:
    attachment = Attachment(name="a.txt", media_type="text/plain", content=b"x")
    command = SendPrompt(actor=OWNER, session_id=SESSION, text="p", attachments=[attachment])

    payload = commands.encode(command, [4, 7])
    decoded, attachment_ids = commands.decode("prompt", "s", payload, "this computer")

    assert attachment_ids == [4, 7]
    assert decoded == SendPrompt(actor=OWNER, session_id=SESSION, text="p")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("", "{}"),
        ("unknown", "{}"),
        ("pin", '{"pinned": true}'),
        ("prompt", ""),
        ("prompt", "{}"),
        ("prompt", "[]"),
        ("prompt", "7"),
        ("prompt", "null"),
        ("prompt", '{"text": 7}'),
        ("send_now", '{"text": "x", "replaces": 1.5}'),
        ("send_now", '{"text": "x", "replaces": true}'),
        ("start", '{"launch": {"prompt": "x", "working_directory": "/", "max_turns": 1.5}}'),
        ("prompt", '{"text": null}'),
        ("prompt", '{"text": "x", "later": 1}'),
        ("prompt", '{"text": "x", "actor": "me"}'),
        ("prompt", '{"text": "x", "attachments": ["a"]}'),
        ("prompt", '{"text": "x", "attachments": 7}'),
        ("start", "{}"),
        ("start", '{"launch": 7}'),
        ("start", '{"launch": {}}'),
        ("start", '{"launch": {"prompt": "x"}}'),
        ("start", '{"launch": {"prompt": null, "working_directory": "/"}}'),
        ("start", '{"launch": {"prompt": ["x"], "working_directory": "/"}}'),
        ("start", '{"launch": {"prompt": "x", "working_directory": "/", "max_turns": "many"}}'),
        ("prompt", '{"text":' + "[" * 100_000),
        ("prompt", '{"text": "\ufeff'),
    ],
    ids=lambda text: ascii(text[:60]),
)
def test_row_that_cannot_be_read_is_no_command(kind: str, payload: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, RecursionError)):
        commands.decode(kind, "s", payload, "a")


# -- what people type ------------------------------------------------------------------------------------------------


def _refused(command: Any) -> InputError:
    with pytest.raises(InputError) as told:
        command.check()
    assert told.value.happened
    return told.value


@pytest.mark.parametrize("text", ["", " ", "\n\t\r ", "\u2003\u00a0"])
def test_empty_prompt_is_refused(text: str) -> None:
    problem = _refused(SendPrompt(actor=OWNER, session_id=SESSION, text=text))

    assert "empty" in problem.happened
    assert problem.next_step


@pytest.mark.parametrize(
    "text",
    ["--help", "/clear", "x" * 1_000_000, "\0", "\ud800", "\u202e", "x" * MAX_PROMPT],
    ids=lambda text: ascii(text[:8]),
)
def test_odd_prompt_is_a_prompt(text: str) -> None:
    assert checked_prompt(text) == text


def test_prompt_that_no_page_could_show_is_refused() -> None:
    problem = _refused(SendPrompt(actor=OWNER, session_id=SESSION, text="x" * (MAX_PROMPT + 1)))

    assert "2,000,001" in problem.happened
    assert len(problem.happened) < 200


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("", "absolute"),
        (" ", "absolute"),
        ("relative/folder", "absolute"),
        ("/no/such/folder", "does not exist"),
        ("~nobody-has-this-name", "cannot be used"),
        ("/a\0b", ""),
        ("/\ud800", ""),
        ("/" + "x" * 5000, ""),
        ("/" + "x/" * 50_000, ""),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_folder_that_cannot_be_used_is_refused(folder: str, why: str) -> None:
    launch = Launch(prompt="p", working_directory=folder)

    problem = _refused(StartSession(actor=OWNER, session_id=SESSION, launch=launch))

    assert why in problem.happened
    assert len(problem.happened) < 1500
    problem.happened.encode()


def test_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match="is a file"):
        checked_folder(str(tmp_path / "file"))


def test_home_is_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert checked_folder("~") == str(tmp_path)
    assert checked_folder(str(tmp_path)) == str(tmp_path)


def test_folder_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As for any other user: root may read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(InputError, match="cannot be read"):
        checked_folder(str(tmp_path))


@pytest.mark.parametrize(
    "command",
    [
        SetPermissionMode(actor=OWNER, session_id=SESSION, mode="yolo"),
        SetPermissionMode(actor=OWNER, session_id=SESSION, mode="\ud800" * 100),
        SetBudget(actor=OWNER, session_id=SESSION, max_cost_usd=0, max_turns=None),
        SetBudget(actor=OWNER, session_id=SESSION, max_cost_usd=float("nan"), max_turns=None),
        SetBudget(actor=OWNER, session_id=SESSION, max_cost_usd=float("inf"), max_turns=None),
        SetBudget(actor=OWNER, session_id=SESSION, max_cost_usd=None, max_turns=0),
        Rename(actor=OWNER, session_id=SESSION, title="x" * 201),
        SendPrompt(
            actor=OWNER,
            session_id=SESSION,
            text="p",
            attachments=[Attachment(name="x", media_type="text/plain", content=bytes(MAX_ATTACHMENT_BYTES + 1))],
        ),
        SendPrompt(
            actor=OWNER,
            session_id=SESSION,
            text="p",
            attachments=[Attachment(name="x", media_type="application/zip", content=b"PK\0\xff")],
        ),
        SendPrompt(
            actor=OWNER,
            session_id=SESSION,
            text="p",
            attachments=[Attachment(name="x", media_type="text/plain", content=b"x")] * 11,
        ),
    ],
    ids=lambda command: command.kind,
)
def test_what_cannot_be_carried_out_is_refused(command: AgentCommand) -> None:
    _refused(command)


@pytest.mark.parametrize(
    ("user", "sandbox", "usable"), [(0, None, False), (0, "yes", False), (0, "1", True), (1000, None, True)]
)
def test_permissions_are_bypassed_only_where_claude_code_does_it(
    monkeypatch: pytest.MonkeyPatch, user: int, sandbox: str | None, usable: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if sandbox is not None:
        monkeypatch.setenv("IS_SANDBOX", sandbox)

    refused = None
    try:
        checked_mode("bypassPermissions")
    except InputError as exc:
        refused = exc

    assert usable == (refused is None)
    assert refused is None or "root" in refused.happened


def test_payload_is_json_that_others_can_read() -> None:
    payload = json.loads(commands.encode(AGENT_COMMANDS[0]))

    assert payload["launch"]["prompt"] == "p"
    assert set(payload) == {"launch", "attachments"}
