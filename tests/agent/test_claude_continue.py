"""How sessions with the real Claude Code go on: forked, anew, from a queue, with other limits, mode or model."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from lulu.errors import InputError
from lulu.model.commands import Fork, SendNow, SendPrompt, SetBudget, SetModel, SetPermissionMode
from lulu.model.events import Error, System, User
from lulu.model.sessions import SessionStatus, new_session_id
from lulu.model.validation import BYPASS, Attachment
from lulu.store import Change
from tests.agent.claude_driver import Claude, has_prompt, tool_results_in
from tests.support import eventually

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.long
def test_a_fork_from_a_middle_turn_knows_what_was_before_and_counts_its_own_cost(claude: Claude) -> None:
    claude.start()
    parent = claude.launch("SCN:default one")
    claude.ended(parent)
    claude.turn(parent, "SCN:costly two")
    claude.start()
    claude.turn(parent, "SCN:default three")
    first_result = next(stored.id for stored in claude.lulu.store.events.of_session(parent) if stored.type == "result")
    middle, end = new_session_id(), new_session_id()

    claude.do(Fork, parent, new_session_id=middle, event_id=first_result)
    claude.do(Fork, parent, new_session_id=end)
    for fork in (middle, end):
        claude.turn(fork, "SCN:costly fork")
    claude.turn(middle, "SCN:default fork again")
    claude.turn(parent, "SCN:default four")

    rows = {one: claude.session(one) for one in (parent, middle, end)}
    words = {one: claude.requests(one)[-1] for one in rows}
    assert {rows[one].session_id_claude for one in (middle, end)} == {middle, end}
    assert [rows[one].parent_session_id for one in rows] == [None, parent, parent]
    assert [has_prompt(words[middle], word) for word in ("one", "two", "three", "fork", "four")] == [
        *(True, False, False, True, False)
    ]
    assert [has_prompt(words[end], word) for word in ("one", "two", "three", "fork", "four")] == [
        *(True, True, True, True, False)
    ]
    assert not has_prompt(words[parent], "fork")
    cheap, costly = (result.cost_usd or 0 for result in claude.results(parent)[:2])
    assert costly > 100 * cheap
    assert rows[parent].cost_usd == pytest.approx(costly + 3 * cheap)
    assert rows[middle].cost_usd == pytest.approx(costly + cheap)
    assert rows[end].cost_usd == pytest.approx(costly)


def test_costs_are_counted_right_after_kills(claude: Claude) -> None:
    """A killed process forgets what it has spent: the next one's running total starts from an older figure."""
    claude.start()
    session_id = claude.launch("SCN:default one")
    claude.ended(session_id)
    claude.turn(session_id, "SCN:default two")

    claude.process(session_id).kill()
    eventually(lambda: claude.session(session_id).agent_pid is None)
    claude.turn(session_id, "SCN:costly three")
    claude.send(session_id, "SCN:slow WORDS=2000")
    claude.says(session_id, "word5")
    claude.process(session_id).kill()
    claude.has(session_id, SessionStatus.FAILED)
    claude.turn(session_id, "SCN:costly four")
    claude.start()
    session = claude.turn(session_id, "SCN:default five")

    costs = [result.cost_usd or 0 for result in claude.results(session_id)]
    assert costs == pytest.approx([costs[0], costs[0], costs[2], costs[2], costs[0]])
    assert costs[2] > 100 * costs[0] > 0
    assert session.cost_usd == pytest.approx(sum(costs))


def test_a_fork_survives_a_restart_before_and_after_its_first_prompt(claude: Claude) -> None:
    claude.start()
    parent = claude.launch("SCN:default one")
    claude.ended(parent)
    fork = new_session_id()
    claude.do(Fork, parent, new_session_id=fork)

    claude.start()
    claude.turn(fork, "SCN:default two")
    claude.start()
    claude.turn(fork, "SCN:default three")

    assert [has_prompt(claude.requests(fork)[-1], word) for word in ("one", "two", "three")] == [True] * 3
    assert claude.session(fork).session_id_claude == fork


@pytest.mark.long
def test_a_fork_from_a_stopped_turn_or_from_one_with_tools_goes_on_from_there(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    parent = claude.launch("SCN:bash one")
    claude.ended(parent)
    claude.send(parent, "SCN:slow WORDS=2000 two")
    claude.says(parent, "word5")
    claude.stop(parent)
    claude.ended(parent, turns=2)
    claude.turn(parent, "SCN:default three")
    turns = [stored.id for stored in claude.lulu.store.events.of_session(parent) if stored.type == "user"]
    tools, stopped = new_session_id(), new_session_id()

    claude.do(Fork, parent, new_session_id=tools, event_id=turns[0])
    claude.do(Fork, parent, new_session_id=stopped, event_id=turns[1])
    for fork in (tools, stopped):
        claude.turn(fork, "SCN:default fork")

    words = ("one", "two", "three", "fork")
    assert [claude.times_asked(tools, f"{word}") for word in words] == [1, 0, 0, 1]
    assert [claude.times_asked(stopped, f"{word}") for word in words] == [1, 1, 0, 1]
    assert "word5" in str(claude.requests(stopped)[-1].body["messages"])
    assert tool_results_in(claude.requests(tools)[-1])


@pytest.mark.long
def test_a_conversation_whose_transcript_is_gone_begins_anew_and_says_so(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:default one")
    claude.ended(session_id)
    claude.start()
    [transcript] = (Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects").rglob("*.jsonl")
    transcript.unlink()

    session = claude.turn(session_id, "SCN:default two")
    claude.start()
    claude.turn(session_id, "SCN:default three")

    assert session.status == SessionStatus.COMPLETED
    assert session.session_id_claude != session_id
    assert claude.notes(session_id).count("conversation_lost") == 1
    assert [claude.times_asked(session_id, word) for word in ("one", "two", "three")] == [0, 1, 1]
    assert [event.text.split()[1] for event in claude.of(session_id, User)] == ["one", "two", "three"]
    assert claude.session(session_id).cost_usd == pytest.approx(3 * (claude.results(session_id)[0].cost_usd or 0))


@pytest.mark.long
def test_a_conversation_that_lulu_never_heard_of_beginning_is_resumed(claude: Claude) -> None:
    """Lulu was killed between the prompt and the first sign of life: here, the file knows nothing of it."""
    claude.start()
    session_id = claude.launch("SCN:default one")
    claude.ended(session_id)
    claude.start(data_dir=claude.folder / "as before")

    claude.launch("SCN:default two", session_id=session_id)
    session = claude.ended(session_id)
    claude.start(data_dir=claude.folder / "as before")
    claude.turn(session_id, "SCN:default three")

    assert session.status == SessionStatus.COMPLETED
    assert not claude.of(session_id, Error)
    assert [claude.times_asked(session_id, word) for word in ("one", "two", "three")] == [1, 1, 1]
    assert claude.session(session_id).cost_usd == pytest.approx(claude.results(session_id)[-1].total_cost_usd)


def test_a_queue_is_sent_once_over_a_restart(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:slow WORDS=2000")
    claude.says(session_id, "word5")
    for number in (1, 2, 3):
        claude.send(session_id, f"SCN:default number {number}")

    claude.start()
    session = claude.ended(session_id, turns=4)

    assert session.status == SessionStatus.COMPLETED
    assert [claude.times_asked(session_id, f"number {number}") for number in (1, 2, 3)] == [1, 1, 1]
    assert len(claude.requests(session_id)) == 4
    assert claude.lulu.store.commands.queued_prompts(session_id) == []


def test_send_now_stops_the_turn_and_goes_before_the_queue(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:slow WORDS=2000")
    claude.says(session_id, "word5")
    claude.send(session_id, "SCN:default queued")

    claude.do(SendNow, session_id, text="SCN:default now")
    session = claude.ended(session_id, turns=3)

    assert session.status == SessionStatus.COMPLETED
    assert [event.text.split()[1] for event in claude.of(session_id, User)] == ["WORDS=2000", "now", "queued"]
    assert [result.terminal_reason for result in claude.results(session_id)] == [
        *("aborted_streaming", "completed", "completed")
    ]


@pytest.mark.long
def test_limits_end_a_turn_clearly_and_can_be_raised(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    turns = claude.launch("SCN:loop", max_turns=2)
    money = claude.launch("SCN:costly", max_cost_usd=0.1)

    ended = [claude.ended(turns).status, claude.ended(money).status]
    again = claude.turn(money, "SCN:default no money").status
    claude.do(SetBudget, turns, max_cost_usd=None, max_turns=None)
    claude.do(SetBudget, money, max_cost_usd=100.0, max_turns=None)
    claude.turn(turns, "SCN:default go on")
    claude.turn(money, "SCN:default go on")

    assert ended == ["failed", "failed"]
    assert again == "failed"
    assert [error.code for error in claude.of(turns, Error)] == ["error_max_turns"]
    assert {error.code for error in claude.of(money, Error)} == {"error_max_budget_usd"}
    assert [claude.session(one).status for one in (turns, money)] == ["completed"] * 2
    assert has_prompt(claude.requests(money)[-1], "SCN:costly")
    costs = [result.cost_usd or 0 for result in claude.results(money)]
    assert (
        claude.session(money).cost_usd
        == pytest.approx(sum(costs))
        == pytest.approx(claude.results(money)[-1].total_cost_usd)
    )


@pytest.mark.long
def test_mode_and_model_change_between_turns_and_in_a_turn(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:slow WORDS=300", model="sonnet")
    claude.says(session_id, "word5")

    claude.do(SetPermissionMode, session_id, mode="acceptEdits")
    claude.do(SetModel, session_id, model="haiku")
    claude.ended(session_id)
    claude.turn(session_id, "SCN:write")
    changed = claude.session(session_id)
    claude.start()
    claude.turn(session_id, "SCN:write PATH=ho.txt")
    claude.do(SetPermissionMode, session_id, mode="default")
    claude.send(session_id, "SCN:write PATH=hu.txt")
    claude.decide(claude.asked(session_id), approve=False)
    claude.ended(session_id, turns=4)

    models = [request.body["model"] for request in claude.requests(session_id)]
    assert {path.name for path in claude.work.glob("*.txt")} == {"hi.txt", "ho.txt"}
    assert changed.permission_mode == "acceptEdits"
    assert "haiku" in (changed.model or "")
    assert claude.session(session_id).permission_mode == "default"
    assert "sonnet" in models[0]
    assert all("haiku" in model for model in models[1:])
    assert not claude.of(session_id, Error)


@pytest.mark.long
def test_a_refused_mode_is_told_and_changes_nothing(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    claude.start()
    session_id = claude.launch("SCN:default hello")
    claude.ended(session_id)

    with pytest.raises(InputError, match="wasn't started with bypass"):
        claude.do(SetPermissionMode, session_id, mode=BYPASS)

    # As if it had been launched so, which its process was not.
    claude.lulu.store.events.record(Change(session_id=session_id, columns={"permission_mode": BYPASS})).result(10)
    claude.do(SetPermissionMode, session_id, mode=BYPASS)
    [error] = eventually(lambda: claude.of(session_id, Error))

    assert error.code == "refused"
    assert claude.commands(session_id)[-1] == "refused"
    assert claude.turn(session_id, "SCN:default go on").status == SessionStatus.COMPLETED


@pytest.mark.long
def test_bypass_can_be_left_and_taken_again_also_by_a_later_process(
    claude: Claude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    claude.start()
    session_id = claude.launch("SCN:default hello", permission_mode=BYPASS)
    claude.ended(session_id)
    claude.do(SetPermissionMode, session_id, mode="default")
    eventually(lambda: claude.session(session_id).permission_mode == "default")

    claude.start()
    claude.turn(session_id, "SCN:default again")
    claude.do(SetPermissionMode, session_id, mode=BYPASS)
    eventually(lambda: claude.session(session_id).permission_mode == BYPASS)
    claude.turn(session_id, "SCN:default and again")

    inits = [event.data or {} for event in claude.of(session_id, System) if event.subtype == "init"]
    assert [init["permissionMode"] for init in inits] == [BYPASS, "default", BYPASS]
    assert not claude.of(session_id, Error)


def test_images_and_texts_go_with_a_prompt(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:default hello")
    claude.ended(session_id)
    files = [
        Attachment(name="pixel.png", media_type="image/png", content=PIXEL),
        Attachment(name="notes.txt", media_type="text/plain", content="Grüße".encode()),
    ]

    claude.do(SendPrompt, session_id, text="SCN:default look", attachments=files)
    session = claude.ended(session_id, turns=2)

    [message] = [m for m in claude.requests(session_id)[-1].body["messages"] if "SCN:default look" in str(m["content"])]
    kinds = [block["type"] for block in message["content"]]
    assert session.status == SessionStatus.COMPLETED
    assert kinds.index("image") < kinds.index("document")
    assert base64.b64encode(PIXEL).decode() in str(message["content"])
    assert "Grüße" in str(message["content"])
    assert len(claude.of(session_id, User)[-1].attachments or []) == 2


@pytest.mark.long
def test_a_fork_of_a_fork_that_has_not_spoken_knows_what_its_page_shows(claude: Claude) -> None:
    claude.start()
    parent = claude.launch("SCN:default one")
    claude.ended(parent)
    claude.turn(parent, "SCN:default two")
    first = claude.lulu.store.events.of_session(parent)[0].id
    fork, of_fork = new_session_id(), new_session_id()

    claude.do(Fork, parent, new_session_id=fork, event_id=first)
    claude.do(Fork, fork, new_session_id=of_fork)
    claude.turn(of_fork, "SCN:default three")

    assert [claude.times_asked(of_fork, word) for word in ("one", "two", "three")] == [1, 0, 1]


@pytest.mark.long
def test_a_fork_from_before_a_compaction_begins_anew_and_says_so(claude: Claude) -> None:
    claude.start()
    parent = claude.launch("SCN:default one")
    claude.ended(parent)
    claude.turn(parent, "SCN:default two")
    claude.turn(parent, "/compact")
    first = claude.lulu.store.events.of_session(parent)[0].id
    fork = new_session_id()

    claude.do(Fork, parent, new_session_id=fork, event_id=first)
    claude.send(fork, "SCN:default three")
    eventually(lambda: claude.lulu.store.events.count(fork, "result") == 2, timeout=60)

    claude.has(fork, SessionStatus.COMPLETED)
    assert claude.notes(fork).count("conversation_lost") == 1
    assert not claude.of(fork, Error)


@pytest.mark.long
def test_a_typed_model_is_kept_like_a_chosen_one(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:default hello", model="sonnet")
    claude.ended(session_id)

    claude.send(session_id, "  /Model   haiku ")
    eventually(lambda: claude.session(session_id).model == "haiku", timeout=60)
    claude.start()
    claude.turn(session_id, "SCN:default go on")

    assert "haiku" in claude.requests(session_id)[-1].body["model"]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_model_typed_first_is_kept_and_asks_nobody(claude: Claude, restarts: bool) -> None:
    claude.start()

    session_id = claude.launch("/model haiku", model="sonnet")
    claude.has(session_id, SessionStatus.COMPLETED)
    assert claude.session(session_id).model == "haiku"
    assert (claude.api.requests, claude.session(session_id).agent_pid) == ([], None)
    if restarts:
        claude.start()
    claude.turn(session_id, "SCN:default hello")

    assert "haiku" in claude.requests(session_id)[-1].body["model"]


@pytest.mark.parametrize("max_idle", [0, 5])
@pytest.mark.long
def test_a_queued_model_holds_from_its_place_in_the_queue(claude: Claude, max_idle: int) -> None:
    claude.start(max_idle=max_idle)
    session_id = claude.launch("SCN:slow WORDS=300", model="sonnet")
    claude.says(session_id, "word5")

    for text in ("SCN:default still", "/model haiku", "SCN:default after"):
        claude.send(session_id, text)
    claude.ended(session_id, turns=3)
    claude.start()
    claude.turn(session_id, "SCN:default and later")

    models = [request.body["model"] for request in claude.requests(session_id)]
    assert [name for model in models for name in ("sonnet", "haiku") if name in model] == ["sonnet"] * 2 + ["haiku"] * 2
