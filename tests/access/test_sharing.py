"""What a guest's page is given: events without secrets, and without what was not shared."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from lulu.access.guest_view import NOT_SHARED, guest_rows, guest_session, guest_text, this_process
from lulu.agent.data_folder_guard import reaches_into, rules
from lulu.model import events
from lulu.model.events import Event, EventId, StoredEvent
from lulu.model.sessions import Session, SessionId
from lulu.model.timestamps import now, parse_time
from lulu.store import LiveText, ShareOptions
from lulu.text.plain import plain
from lulu.text.redaction.redact import Redactor
from lulu.transcript.turns import ToolCall, turns
from lulu.transcript.waits import Spent
from lulu.ui.session.header import details, full_name

SECRET = "ghp_" + "aB3d" * 9
ALL = ShareOptions(tool_output=True, thinking=True)

EVENTS: list[Event] = [
    events.User(text=f"use {SECRET}", actor="anna", attachments=[1]),
    events.Text(content=f"I use {SECRET}."),
    events.Thinking(content=f"hm, {SECRET}"),
    events.ToolUse(id="t", name="Bash", input={"command": f"echo {SECRET}", "env": {"X": [SECRET]}}),
    events.ToolResult(tool_use_id="t", content=[{"type": "text", "text": SECRET}], data={"stdout": SECRET}),
    events.System(subtype="init", data={"cwd": "/srv", "tools": [], "key": SECRET}),
    events.System(subtype="compact", data={"note": SECRET}),
    events.Permission(id="p", tool_name="Bash", tool_input={"command": SECRET}),
    events.PermissionDecision(id="p", decision="approved", actor="anna", message=SECRET),
    events.Result(session_id="inner", result=f"done with {SECRET}", model_usage={"x": SECRET}),
    events.Error(message=f"failed: {SECRET}", detail=SECRET, next_step=f"Use {SECRET}"),
    events.ToolUse(id="u", name=f"mcp__{SECRET}", input={}),
    events.Unknown(event_type="later", raw=f'{{"x": "{SECRET}"}}'),
]


def _stored(event: Event, number: int = 1) -> StoredEvent:
    kind, raw = events.encode(event)
    assert kind == event.type or isinstance(event, events.Unknown)
    return StoredEvent(id=EventId(number), session_id="s", event=event, created_at=parse_time(now()), raw=raw)


@pytest.mark.parametrize("options", [ALL, ShareOptions(), ShareOptions(tool_output=False)], ids=str)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.type}-{getattr(event, 'subtype', '')}")
def test_no_event_carries_a_secret_to_a_guest(event: Event, options: ShareOptions) -> None:
    found = guest_rows([_stored(event)], options)

    assert SECRET not in repr(found.rows)
    assert all(row.id == 1 for row in found.rows)


def test_what_is_hidden_is_counted_and_the_stored_row_stays() -> None:
    stored = _stored(EVENTS[0])

    found = guest_rows([stored], ALL)

    assert found.hidden["github_token"] == 1
    assert SECRET in stored.raw
    assert "anna" not in repr(found.rows)


def test_thinking_and_output_are_shared_only_where_that_was_chosen() -> None:
    rows = [_stored(event, number) for number, event in enumerate(EVENTS, 1)]

    less = guest_rows(rows, ShareOptions(tool_output=False, thinking=False)).rows
    more = guest_rows(rows, ALL).rows

    assert "thinking" not in [row.type for row in less]
    assert "thinking" in [row.type for row in more]
    assert [row.event.content for row in less if isinstance(row.event, events.ToolResult)] == [NOT_SHARED]
    for rows_shown in (less, more):
        kinds = {row.type for row in rows_shown}
        assert not kinds & {"permission", "permission_decision", "later"}
        assert [row.event.data for row in rows_shown if isinstance(row.event, events.System)] == [None]


@pytest.mark.parametrize(("asked", "answered"), [(True, True), (True, False), (False, True)])
def test_a_guest_s_clock_tells_the_wait_for_a_person_apart(asked: bool, answered: bool) -> None:
    log: list[tuple[int, Event]] = [
        (0, events.ToolUse(id="t", name="Bash", input={"command": "ls"})),
        (
            1,
            events.Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={"command": SECRET}, reason=SECRET),
        ),
        (61, events.PermissionDecision(id="p", decision="approved", actor="anna", message=SECRET)),
        (65, events.ToolResult(tool_use_id="t", content="done")),
    ]
    begin = parse_time(now())
    rows = [
        dataclasses.replace(_stored(event, number), created_at=begin + timedelta(seconds=second))
        for number, (second, event) in enumerate(log, 1)
        if (asked or number != 2) and (answered or number != 3)
    ]

    found = guest_rows(rows, ALL).rows
    [call] = [item for turn in turns(found) for item in turn.items if isinstance(item, ToolCall)]

    assert call.spent == (Spent(seconds=5, waited=60) if asked and answered else Spent(seconds=65, waited=0))
    assert not call.is_waiting
    assert SECRET not in repr(found)
    assert "anna" not in repr(found)


@pytest.mark.parametrize(
    ("tool", "arguments", "reaches"),
    [
        ("Read", {"file_path": "{data}/lulu.db"}, True),
        ("Read", {"file_path": "{work}/../data/control.json"}, True),
        ("Read", {"file_path": "{work}/link/lulu.db"}, True),
        ("Edit", {"file_path": "{data}/x"}, True),
        ("Write", {"file_path": "../data/x"}, True),
        ("NotebookEdit", {"notebook_path": "{data}/x.ipynb"}, True),
        ("Glob", {"pattern": "*", "path": "{data}"}, True),
        ("Glob", {"pattern": "{data}/*"}, True),
        ("Grep", {"pattern": "token", "path": "{data}"}, True),
        ("Grep", {"pattern": "{data}"}, False),
        ("Read", {"file_path": "{work}/lulu.db"}, False),
        ("Read", {"file_path": "{data}-not/lulu.db"}, False),
        ("Glob", {"pattern": "**/*.py"}, False),
        ("Bash", {"command": "cat {data}/lulu.db"}, False),
        ("Read", {"file_path": 5}, False),
        ("Read", {"file_path": "\0"}, False),
    ],
)
def test_file_tools_stay_out_of_lulu_s_folder(
    tmp_path: Path, tool: str, arguments: dict[str, object], reaches: bool
) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    data.mkdir()
    work.mkdir(exist_ok=True)
    (work / "link").symlink_to(data)
    filled = {
        name: value.format(data=data, work=work) if isinstance(value, str) else value
        for name, value in arguments.items()
    }

    assert reaches_into(data, str(work), tool, filled) is reaches
    assert rules(data) == [f"Read(/{data}/**)", f"Edit(/{data}/**)"]


KEY = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\nbG9uZyBib2R5\n-----END PGP PRIVATE KEY BLOCK-----\n"


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        (f"I take {SECRET} for it.", ["ghp_"]),
        (f"I take ghp_\x1b[1m{SECRET[4:]} for it.", ["ghp_", SECRET[4:]]),
        (f"The key:\n\n{KEY}\nThat is all.", ["Version", "GnuPG", "bG9u"]),
        ("It is correct horse battery staple here.", ["correct horse battery"]),
        ("password: gehö12xyz99 is it", ["gehö"]),
        ("at https://ada:s3cretpass@example.org now", ["s3cret"]),
    ],
)
def test_no_text_that_grows_shows_a_guest_a_part_of_a_secret(text: str, secrets: list[str]) -> None:
    hide = Redactor(secrets=["correct horse battery staple"])

    shown = [hide.text(hide.whole(plain(text[:end]))) for end in range(len(text) + 1)]

    assert [one for one in [*shown, hide.text(text)] if any(secret in one for secret in secrets)] == []
    assert shown[-1].split()[0] == text.split()[0]


def test_what_has_no_secret_is_shown_but_for_its_last_word() -> None:
    hide = Redactor()

    assert hide.whole("Two words and a ha") == "Two words and a "
    assert hide.whole("灯塔是一种建筑") == "灯塔是一种建筑"
    assert hide.whole(KEY) == KEY


KEY_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
BEGIN, END = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
#: A key over several events, and a line behind it.
PARTS = [f"Look:\n{BEGIN}\n{KEY_LINE}", KEY_LINE[::-1], f"{KEY_LINE[1:]}\nXq9d3A==\n{END}\nDone.", KEY_LINE[2:]]


def _told_as(kind: str, text: str) -> Event:
    if kind == "text":
        return events.Text(content=text)
    if kind == "result":
        return events.ToolResult(tool_use_id="t", content=text)
    return events.ToolResult(tool_use_id="t", content=[{"type": "text", "text": text}])


@pytest.mark.parametrize("kind", ["text", "result", "blocks"])
def test_a_private_key_over_several_events_is_hidden(kind: str) -> None:
    found = guest_rows([_stored(_told_as(kind, part), number) for number, part in enumerate(PARTS, 1)], ALL)

    shown = repr([row.event for row in found.rows])
    assert [part for part in (f"\n{KEY_LINE}", KEY_LINE[::-1], f"'{KEY_LINE[1:]}", "Xq9d3A") if part in shown] == []
    assert "Look:" in shown
    assert "Done." in shown
    # Behind its end, a line of the same letters is none of the key.
    assert KEY_LINE[2:] in shown


def test_what_is_said_after_the_beginning_of_a_key_is_shown() -> None:
    parts = [f"The file begins with {BEGIN}", "So it is a key.", "I look at the tests next."]

    found = guest_rows([_stored(_told_as("text", part), number) for number, part in enumerate(parts, 1)], ALL)

    assert [row.event for row in found.rows] == [_told_as("text", part) for part in parts]


def test_no_place_of_a_guest_s_page_has_a_secret_or_the_home_folder() -> None:
    # The home folder is another one in each test.
    this_process.cache_clear()
    home = str(Path.home())
    told = f"{SECRET} in {home}/x"
    shared = guest_session(
        Session(
            id=SessionId("s"),
            title=told,
            prompt=told,
            status="idle",
            model="sonnet",
            session_id_claude=None,
            cost_usd=None,
            duration_ms=None,
            num_turns=None,
            created_at=parse_time(now()),
            updated_at=parse_time(now()),
            working_directory=f"{home}/{SECRET}",
        )
    )
    written = [
        guest_text(LiveText(message_id=None, kind=kind, text=f"{told} and more ", updated_at=parse_time(now())), ALL)
        for kind in ("text", "thinking")
    ]

    shown = repr([shared, shared.name, full_name(shared), details(shared, "shared"), written])

    assert SECRET not in shown
    assert home not in shown
    assert "[github token hidden] in ~/x" in shown
