"""What the real Claude Code may do: asked, approved, denied, edited; rules; questions and plans."""

from __future__ import annotations

import pytest

from lulu.errors import InputError
from lulu.model.commands import AddRule
from lulu.model.events import Error, Permission, PermissionDecision, System, ToolUse
from lulu.model.sessions import SessionStatus
from tests.agent.claude_driver import OWNER, Claude, tool_results_in
from tests.support import eventually


def test_approve_deny_and_edit_are_what_happens(claude: Claude) -> None:
    claude.start()
    out = claude.work / "out.txt"
    session_id = claude.launch("SCN:bash approve")

    first = claude.asked(session_id)
    assert claude.session(session_id).status == SessionStatus.WAITING
    assert not out.exists()
    claude.decide(first, approve=True)
    claude.ended(session_id)
    approved = out.read_text()
    out.unlink()
    claude.send(session_id, "SCN:bash deny")
    claude.decide(claude.asked(session_id), approve=False, message="Not in my folder, please")
    denied = claude.ended(session_id, turns=2)
    assert not out.exists()
    claude.send(session_id, "SCN:bash edit")
    claude.decide(claude.asked(session_id), approve=True, updated_input={"command": "echo edited > out.txt"})
    claude.ended(session_id, turns=3)

    [call, *_] = claude.of(session_id, ToolUse)
    asked = claude.of(session_id, Permission)
    decided = claude.of(session_id, PermissionDecision)
    assert (approved, out.read_text()) == ("hello\n", "edited\n")
    assert (first.tool_name, first.tool_input, first.tool_use_id) == ("Bash", call.input, call.id)
    assert denied.status == SessionStatus.COMPLETED
    assert "Not in my folder, please" in tool_results_in(claude.requests(session_id)[3])[-1]
    assert [one.decision for one in decided] == ["approved", "denied", "approved"]
    assert {one.actor for one in decided} == {"this computer"}
    assert [one.id for one in decided] == [one.id for one in asked]
    denied_turn = claude.outline(session_id).split(" user ")[1]
    assert denied_turn == "thinking text Bash permission permission_decision failed text result"


@pytest.mark.long
def test_an_edited_input_is_held_to_deny_rules_and_to_lulu_s_own_folder(claude: Claude) -> None:
    claude.start()
    claude.rule("Bash(rm *)", "deny")
    kept = claude.work / "kept.txt"
    kept.write_text("kept")
    session_id = claude.launch("SCN:bash")

    request = claude.asked(session_id)
    with pytest.raises(InputError, match=r"denied: The rule Bash\(rm \*\) denies it"):
        claude.decide(request, approve=True, updated_input={"command": f"command rm {kept}"})

    assert claude.lulu.store.approvals.get(request.id) == request
    claude.decide(request, approve=True, updated_input={"command": "echo edited > edited.txt"})
    claude.ended(session_id)
    assert kept.exists()
    assert (claude.work / "edited.txt").exists()


@pytest.mark.long
def test_an_input_that_is_denied_since_it_was_edited_does_not_run(claude: Claude) -> None:
    claude.start()
    kept = claude.work / "kept.txt"
    kept.write_text("kept")
    session_id = claude.launch("SCN:bash")
    request = claude.asked(session_id)
    rule = AddRule(actor=OWNER, tool_pattern="Bash(rm *)", action="deny")

    # The rule is made with the answer itself.
    claude.decide(request, approve=True, updated_input={"command": f"command rm {kept}"}, rule=rule)
    claude.ended(session_id)

    assert kept.exists()
    [said] = tool_results_in(claude.requests(session_id)[-1])
    assert "Denied by a rule of the user: The rule Bash(rm *) denies it" in said


@pytest.mark.long
def test_two_requests_at_once_are_both_answerable_and_stop_withdraws_its_own_sessions(claude: Claude) -> None:
    claude.start()
    ours, other = claude.launch("SCN:agent JOB=run AGENTS=2"), claude.launch("SCN:bash")
    eventually(lambda: len(claude.lulu.store.approvals.find(ours)) == 2, timeout=60)
    one, two = claude.lulu.store.approvals.find(ours)
    claude.asked(other)

    claude.decide(two, approve=True)
    claude.decide(one, approve=False)
    claude.ended(ours)
    claude.send(ours, "SCN:agent JOB=run AGENTS=2")
    eventually(lambda: len(claude.lulu.store.approvals.find(ours)) == 2, timeout=60)
    claude.stop(ours)
    claude.has(ours, SessionStatus.INTERRUPTED)

    made = {path.name for path in claude.work.glob("p*.txt")}
    assert made == {str(two.tool_input["command"]).removeprefix("touch ")}
    assert claude.lulu.store.approvals.find(ours) == []
    assert [one.status for one in claude.lulu.store.approvals.find(ours, status=None)][2:] == ["cancelled"] * 2
    assert [one.session_id for one in claude.lulu.store.approvals.find()] == [other]
    assert claude.session(other).status == SessionStatus.WAITING


def test_a_request_open_when_lulu_stops_expires(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:bash")
    request = claude.asked(session_id)

    claude.start()

    [approval] = claude.lulu.store.approvals.find(session_id, status=None)
    assert (approval.id, approval.status) == (request.id, "expired")
    assert claude.session(session_id).status == SessionStatus.INTERRUPTED
    assert not (claude.work / "out.txt").exists()
    assert claude.turn(session_id, "SCN:default go on").status == SessionStatus.COMPLETED


@pytest.mark.long
def test_a_sub_agents_request_is_asked_like_any_other(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:agent JOB=bash")

    request = claude.asked(session_id)
    waits = eventually(lambda: claude.session(session_id).status == SessionStatus.WAITING)
    claude.decide(request, approve=True)
    claude.ended(session_id, turns=2)

    assert waits
    assert request.agent_id
    assert (claude.work / "out.txt").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("mode", "pattern", "prompt", "trace"),
    [
        ("default", "Bash(echo *)", "SCN:job", None),
        ("acceptEdits", "Write(*)", "SCN:write", "hi.txt"),
    ],
)
def test_a_deny_rule_holds_for_what_claude_code_would_not_ask_about(
    claude: Claude, mode: str, pattern: str, prompt: str, trace: str | None
) -> None:
    claude.start()
    before = claude.launch(prompt, permission_mode=mode)
    claude.ended(before)
    claude.rule(pattern, "deny")

    session_id = claude.launch(prompt.replace("SCN:write", "SCN:write PATH=other.txt"), permission_mode=mode)
    claude.ended(session_id)

    [approval] = claude.lulu.store.approvals.find(session_id, status=None)
    assert claude.lulu.store.approvals.find(before, status=None) == []
    assert trace is None or (claude.work / trace).exists()
    assert not (claude.work / "other.txt").exists()
    assert (approval.status, approval.auto_approved, approval.rule_id) == ("denied", True, 1)
    assert "rule" in tool_results_in(claude.requests(session_id)[-1])[-1]
    assert "failed" in claude.outline(session_id)


@pytest.mark.long
def test_rules_on_paths_hold_from_where_the_agent_has_gone(claude: Claude) -> None:
    claude.allow("Bash(cat *)")
    (claude.work / "sub").mkdir()
    for folder in (claude.work, claude.work / "sub"):
        (folder / "key").write_text(f"in {folder.name}")
    claude.start()
    claude.rule("Read(/sub/key)", "deny")
    claude.rule("Bash(cd *)", "approve")
    claude.rule("Edit(/sub/out.txt)", "approve")
    claude.rule("Bash(echo *)", "approve")
    session_id = claude.launch("SCN:run COMMAND=cat_key")
    claude.ended(session_id)

    for command in ("cd_sub", "cat_key", "cat_../sub/key", "echo_x>out.txt"):
        claude.turn(session_id, f"SCN:run COMMAND={command}")

    asked = claude.lulu.store.approvals.find(session_id, status=None)
    words = [word for word in claude.outline(session_id).split() if word in ("done", "failed")]
    assert words == ["done", "done", "failed", "failed", "done"]
    assert [(one.tool_input["command"], one.status) for one in asked if one.status == "denied"] == [
        ("cat key", "denied"),
        ("cat ../sub/key", "denied"),
    ]
    assert (claude.work / "sub" / "out.txt").read_text() == "x\n"


@pytest.mark.long
def test_do_not_ask_again_holds_for_the_next_call_and_for_no_other_command(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:run COMMAND=touch_one.txt")
    rule = AddRule(actor=OWNER, session_id=session_id, tool_pattern="Bash(touch *)", action="approve")

    claude.decide(claude.asked(session_id), approve=True, rule=rule)
    claude.ended(session_id)
    claude.turn(session_id, "SCN:run COMMAND=touch_two.txt")
    claude.send(session_id, "SCN:run COMMAND=rm_one.txt")
    removal = claude.asked(session_id)
    claude.decide(removal, approve=False)
    claude.ended(session_id, turns=3)

    answers = [(one.status, one.rule_id) for one in claude.lulu.store.approvals.find(session_id, status=None)]
    assert removal.tool_input["command"] == "rm one.txt"
    assert {path.name for path in claude.work.glob("*.txt")} == {"one.txt", "two.txt"}
    assert answers == [("approved", None), ("approved", 1), ("denied", None)]


def test_a_question_is_answered_with_the_choice(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:ask")

    question = claude.asked(session_id)
    answers = {"Which colour?": "Blue"}
    claude.decide(question, approve=True, updated_input={**question.tool_input, "answers": answers})
    claude.ended(session_id)

    assert question.tool_name == "AskUserQuestion"
    assert '"Which colour?"="Blue"' in tool_results_in(claude.requests(session_id)[-1])[-1]


@pytest.mark.long
def test_a_plan_is_kept_planning_with_feedback_and_then_approved(claude: Claude) -> None:
    claude.allow("Write")
    claude.start()
    session_id = claude.launch("SCN:plan", permission_mode="plan")

    plan = claude.asked(session_id)
    claude.decide(plan, approve=False, message="Think of the tests, too")
    claude.ended(session_id)
    kept = claude.session(session_id).permission_mode
    refused = tool_results_in(claude.requests(session_id)[-1])[-1]
    claude.send(session_id, "SCN:plan again")
    claude.decide(claude.asked(session_id), approve=True)
    session = claude.ended(session_id, turns=2)

    assert plan.tool_name == "ExitPlanMode"
    assert (kept, session.permission_mode) == ("plan", "default")
    assert "Think of the tests, too" in refused


def test_a_plan_is_approved_with_its_edits_in_one_answer(claude: Claude) -> None:
    claude.allow("Write(~/.claude/plans/**)")
    claude.start()
    session_id = claude.launch("SCN:plan", permission_mode="plan")

    claude.decide(claude.asked(session_id), approve=True, mode="acceptEdits")
    session = claude.ended(session_id)
    claude.turn(session_id, "SCN:default whose mode is it?")

    inits = [event.data or {} for event in claude.of(session_id, System) if event.subtype == "init"]
    assert session.permission_mode == "acceptEdits"
    assert [init["permissionMode"] for init in inits] == ["plan", "acceptEdits"]
    assert not claude.of(session_id, Error)
