"""When the real Claude Code's folder is looked at: before every prompt, and never in a turn."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lulu.engine import admission
from lulu.model.commands import ForgetFolder, Fork, Interrupt, TrustFolder
from lulu.model.sessions import SessionStatus, new_session_id
from lulu.trust import folder_files
from tests.agent.claude_driver import OWNER, Claude
from tests.agent.folder_answers import ACTED, add_worktree, answer, has_acted, held, hook, write
from tests.store.files import execute, make_released
from tests.support import eventually

#: A skill that only is there.
SKILL = "---\nname: new\ndescription: new\n---\nDo it."


def test_a_change_lets_the_next_prompt_wait_and_ends_no_turn(claude: Claude, place: Path) -> None:
    hook("settings.json")(place, f"touch {claude.folder / 'above' / ACTED}")
    claude.start(idle_minutes=60)
    session_id = claude.launch("SCN:slow WORDS=300")
    answer(claude, session_id, trusted=True)
    claude.says(session_id, "word5")

    write(place / ".claude" / "skills" / "new" / "SKILL.md", SKILL)
    claude.send(session_id, "SCN:default first")
    claude.send(session_id, "SCN:default second")

    question = held(claude, session_id)
    assert claude.results(session_id)[0].subtype == "success"
    assert [one.changes for one in question.asked] == [["new: .claude/skills/new/SKILL.md"]]
    assert len(claude.lulu.store.commands.queued_prompts(session_id)) == 2
    answer(claude, session_id, trusted=True)
    claude.ended(session_id, turns=3)
    assert claude.lulu.store.folders.questions() == []


@pytest.mark.parametrize("how", ["resume", "fork", "restart"])
@pytest.mark.long
def test_a_change_is_noticed_before_each_start(claude: Claude, place: Path, how: str) -> None:
    hook("settings.json")(place, "true")
    claude.start()
    session_id = claude.launch("SCN:default")
    answer(claude, session_id, trusted=True)
    claude.ended(session_id)
    hook("settings.json")(place, f"touch {claude.folder / 'above' / ACTED}")

    if how == "restart":
        claude.start()
    if how == "fork":
        fork = new_session_id()
        claude.do(Fork, session_id, new_session_id=fork)
        session_id = fork
    claude.send(session_id, "SCN:default again")

    assert [one.changes for one in held(claude, session_id).asked] == [["changed: .claude/settings.json"]]
    # What waits is still there after a restart, and is not called interrupted.
    claude.start()
    held(claude, session_id)
    assert not has_acted(claude)
    assert "lulu_stopped" not in claude.notes(session_id)


@pytest.mark.long
def test_what_is_as_it_was_again_needs_no_answer(claude: Claude, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LOOK_AGAIN", 0.1)
    hook("settings.json")(place, "true")
    claude.start()
    session_id = claude.launch("SCN:default")
    answer(claude, session_id, trusted=True)
    claude.ended(session_id)
    hook("settings.json")(place, "false")
    claude.send(session_id, "SCN:default again")
    held(claude, session_id)

    hook("settings.json")(place, "true")

    claude.ended(session_id, turns=2)
    assert claude.lulu.store.folders.questions() == []


@pytest.mark.long
def test_a_folder_that_does_not_answer_holds_up_nobody_else(
    claude: Claude, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [place.parent / f"away{number}" for number in range(40)]
    for folder in away:
        folder.mkdir()
    answers = threading.Event()
    look = folder_files._look

    def hang(folder: str) -> folder_files.Brought:
        if folder in map(str, away):
            answers.wait()
        return look(folder)

    monkeypatch.setattr(folder_files, "_look", hang)
    monkeypatch.setattr(folder_files, "PATIENCE", 0.5)
    monkeypatch.setattr(admission, "LOOK_AGAIN", 0.1)
    claude.start(max_running=50)
    try:
        # More of them than any pool has threads.
        waiting = [claude.launch("SCN:default", folder=folder) for folder in away]
        claude.ended(claude.launch("SCN:default"))
        question = held(claude, waiting[0])
        for session_id in waiting[1:]:
            claude.stop(session_id)
        for session_id in waiting[1:]:
            claude.has(session_id, SessionStatus.INTERRUPTED)
    finally:
        answers.set()

    assert [one.place.problem for one in question.asked] == [folder_files.SILENT]
    claude.ended(waiting[0])
    assert claude.lulu.store.folders.questions() == []


@pytest.mark.long
def test_after_the_upgrade_each_known_folder_is_asked_about_once(claude: Claude, place: Path) -> None:
    hook("settings.json")(place, f"touch {claude.folder / 'above' / ACTED}")
    path = claude.folder / "lulu" / "lulu.db"
    path.parent.mkdir(mode=0o700)
    make_released(path, "007")
    plain = claude.folder / "plain"
    plain.mkdir()
    one, two, three = (new_session_id() for _ in range(3))
    known = {one: place, two: place / "below", three: plain}
    for session_id, folder in known.items():
        execute(
            path,
            "INSERT INTO sessions (id, prompt, status, working_directory, agent, permission_mode) "
            "VALUES (?, 'before', 'completed', ?, 'claude', 'default')",
            session_id,
            str(folder),
        )
    claude.start()
    assert claude.lulu.store.folders.questions() == []
    assert set(claude.lulu.store.sessions.recent_folders(50)) == set(map(str, known.values()))

    for session_id in known:
        claude.send(session_id, "SCN:default")
    claude.ended(three)
    held(claude, two)
    shown = answer(claude, one, trusted=True)

    assert [one.place.folder for one in shown.asked] == [str(place)]
    for session_id in (one, two):
        claude.ended(session_id)
    claude.start()
    for session_id in known:
        claude.turn(session_id, "SCN:default again")
    assert claude.lulu.store.folders.questions() == []


def test_the_answer_is_for_what_was_shown(claude: Claude, place: Path) -> None:
    hook("settings.json")(place, "true")
    claude.start()
    session_id = claude.launch("SCN:default")
    shown = held(claude, session_id)
    hook("settings.json")(place, f"touch {claude.folder / 'above' / ACTED}")

    for place_shown in (one.place for one in shown.asked):
        command = TrustFolder(actor=OWNER, folder=place_shown.folder, trusted=True, entries=place_shown.entries)
        claude.lulu.store.commands.submit(command)

    eventually(lambda: held(claude, session_id).asked[0].changes == ["changed: .claude/settings.json"])
    assert not has_acted(claude)


def test_stop_ends_the_waiting_and_nothing_is_sent(claude: Claude, place: Path) -> None:
    hook("settings.json")(place, "true")
    claude.start()
    session_id = claude.launch("SCN:default")
    held(claude, session_id)

    claude.do(Interrupt, session_id)

    claude.has(session_id, SessionStatus.INTERRUPTED)
    assert claude.lulu.store.folders.questions() == []
    assert claude.api.requests == []


@pytest.mark.long
def test_an_answer_counts_below_and_in_worktrees_that_bring_nothing_else(claude: Claude, place: Path) -> None:
    command = f"touch {claude.folder / 'above' / ACTED}"
    hook("settings.json")(place, command)
    add_worktree(place)
    claude.start()
    first = claude.launch("SCN:default")
    answer(claude, first, trusted=True)
    claude.ended(first)
    (claude.folder / "above" / ACTED).unlink()

    below = claude.launch("SCN:default", folder=place / "below")
    claude.ended(below)
    worktree = claude.launch("SCN:default", folder=place.parent / "other")
    claude.ended(worktree)

    assert has_acted(claude)
    hook("settings.json")(place.parent / "other", "true")
    claude.send(worktree, "SCN:default")
    assert [one.place.folder for one in held(claude, worktree).asked] == [str(place.parent / "other")]


@pytest.mark.long
def test_a_worktree_is_asked_about_what_its_main_checkout_brings(claude: Claude, place: Path) -> None:
    add_worktree(place)
    hook("settings.local.json")(place, f"touch {claude.folder / 'above' / ACTED}")
    claude.start()

    session_id = claude.launch("SCN:default", folder=place.parent / "other")
    asked = answer(claude, session_id, trusted=False).asked
    claude.ended(session_id)

    assert [one.place.folder for one in asked] == [str(place)]
    assert not has_acted(claude)
    claude.lulu.store.commands.submit(ForgetFolder(actor=OWNER, folder=str(place)))
    claude.send(session_id, "SCN:default")
    answer(claude, session_id, trusted=True)
    claude.ended(session_id, turns=2)
    # The process that ran without the files was replaced by one with them.
    assert has_acted(claude)
