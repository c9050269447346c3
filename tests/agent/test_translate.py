"""Frames to events, without a process: nothing that was seen is lost, whatever comes in between, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lulu.agent.stream.translate import Translation, Translator
from lulu.model.events import Error, Event, Result, System, Text, Thinking, ToolResult, ToolUse, Unknown, decode, encode
from lulu.model.sessions import SessionStatus

Frame = dict[str, Any]


def stream(event: Frame, parent: str | None = None) -> Frame:
    return {"type": "stream_event", "event": event, "parent_tool_use_id": parent}


def begins(message_id: str = "msg_1") -> Frame:
    return stream({"type": "message_start", "message": {"id": message_id}})


def writes(text: str, kind: str = "text") -> list[Frame]:
    """A block of that text, in pieces, not delivered yet."""
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": kind, kind: ""}}
    deltas: list[Frame] = [{"type": f"{kind}_delta", kind: text[at : at + 5]} for at in range(0, len(text), 5)]
    return [stream(start), *(stream({"type": "content_block_delta", "index": 0, "delta": delta}) for delta in deltas)]


def says(*blocks: object, parent: str | None = None, message_id: str = "msg_1", **more: Any) -> Frame:
    message = {"id": message_id, "content": list(blocks)}
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent, **more}


def text(words: str, **more: Any) -> Frame:
    return {"type": "text", "text": words, **more}


def api_error(parent: str | None = None) -> Frame:
    return says(text("API Error: 400"), parent=parent, message_id="synthetic", error="invalid_request")


def result(**values: Any) -> Frame:
    return {"type": "result", "subtype": "success", "is_error": False, "terminal_reason": "completed", **values}


RETRY = {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 3}


def translated(*frames: object) -> list[Translation]:
    translator = Translator()
    return [translator.translate(frame) for frame in frames]


def events(*frames: object) -> list[Event]:
    return [event for said in translated(*frames) for event in said.events]


def shown_and_kept(translations: list[Translation]) -> tuple[str, list[str]]:
    """The live text at the end, and the texts that are kept. Fails where shown words went before they were kept."""
    shown, kept = "", []
    for said in translations:
        kept += [event.content for event in said.events if isinstance(event, Text | Thinking) and event.parent is None]
        after = said.live.text if said.live else "" if said.clear_live else shown
        if not after.startswith(shown):
            assert any(words.strip().startswith(shown.strip()) for words in kept), f"{shown!r} was lost"
        shown = after
    return shown, kept


# -- a sub-agent beside the main agent's block -----------------------------------------------------------------------

OF_A_SUB_AGENT: dict[str, Frame] = {
    "a text": says(text("from below"), parent="toolu_sub"),
    "an error": api_error(parent="toolu_sub"),
    "an error without a text": says(parent="toolu_sub", error="unknown"),
    "a retry": {**RETRY, "parent_tool_use_id": "toolu_sub"},
    "a retry that names nobody": RETRY,
    "a new message": stream({"type": "message_start", "message": {"id": "msg_sub"}}, "toolu_sub"),
    "a new block": stream({"type": "content_block_start", "content_block": text("")}, "toolu_sub"),
    "a tool's answer": {
        "type": "user",
        "message": {"content": [{"type": "tool_result", "tool_use_id": "x", "content": "y"}]},
        "parent_tool_use_id": "toolu_sub",
    },
    "a result": result(parent_tool_use_id="toolu_sub"),
    "a note of its machinery": {"type": "system", "subtype": "task_progress", "tool_use_id": "toolu_sub"},
    "nobody knows what": {"type": "hologram", "parent_tool_use_id": "toolu_sub"},
}


@pytest.mark.parametrize("frame", OF_A_SUB_AGENT.values(), ids=OF_A_SUB_AGENT)
def test_a_sub_agent_s_frame_leaves_the_main_agent_s_block_alone(frame: Frame) -> None:
    said = translated(begins(), *writes("a long answer"), frame, *writes("", "text")[1:], says(text("a long answer")))

    shown, kept = shown_and_kept(said)
    between = said[1 + len(writes("a long answer"))]
    assert (between.clear_live, between.live, between.turn_end) == (False, None, None)
    assert kept == ["a long answer"]
    assert shown == ""


def test_a_sub_agent_s_error_does_not_hide_the_turn_s_own() -> None:
    limit = result(
        is_error=True, subtype="error_max_turns", terminal_reason="max_turns", errors=["Reached the maximum (4)"]
    )

    found = [event for event in events(api_error(parent="toolu_sub"), limit) if isinstance(event, Error)]

    assert [(error.parent, error.message) for error in found] == [
        ("toolu_sub", "API Error: 400"),
        (None, "Reached the maximum (4)"),
    ]


# -- the main agent's own block --------------------------------------------------------------------------------------

#: What ends a block that was never delivered whole.
ENDS: dict[str, list[Frame]] = {
    "an error of the API": [api_error()],
    "the turn's result": [result()],
    "another message": [begins("msg_2")],
    "another block": writes("more")[:1],
    "an answer of Claude Code's own": [says(text("Set model to haiku"), message_id="synthetic")],
    "a try that says something else": [RETRY, begins("msg_2"), *writes("Quite another answer")],
    "a try that thinks": [RETRY, begins("msg_2"), *writes("hm", "thinking")],
    "a try that calls a tool": [
        RETRY,
        begins("msg_2"),
        says({"type": "tool_use", "id": "t", "name": "Bash", "input": {}}, message_id="msg_2"),
    ],
    "a try that comes whole": [RETRY, says(text("Quite another answer"), message_id="msg_2")],
    "a try that ends earlier": [RETRY, begins("msg_2"), *writes("The"), says(text("The"), message_id="msg_2")],
}


@pytest.mark.parametrize("frames", ENDS.values(), ids=ENDS)
def test_words_that_were_shown_are_kept_whatever_ends_their_block(frames: list[Frame]) -> None:
    said = translated(begins(), *writes("The answer so far"), *frames, result())

    shown, kept = shown_and_kept(said)
    partial = [event for one in said for event in one.events if isinstance(event, Text) and event.partial]
    assert shown == ""
    assert "The answer so far" in kept
    assert [event.content for event in partial][:1] == ["The answer so far"]


def test_a_try_that_says_the_same_again_is_shown_and_kept_once() -> None:
    said = translated(
        begins(),
        *writes("The answer so"),
        RETRY,
        begins("msg_2"),
        *writes("The answer so far"),
        says(text("The answer so far")),
    )

    _, kept = shown_and_kept(said)
    assert kept == ["The answer so far"]


def test_sources_that_came_before_a_cut_are_kept() -> None:
    source = {"type": "web_search_result_location", "url": "https://example.org", "title": "An example"}
    cites = stream({"type": "content_block_delta", "delta": {"type": "citations_delta", "citation": source}})

    [cut_off, _] = events(begins(), *writes("It rains"), cites, result())

    assert isinstance(cut_off, Text)
    assert (cut_off.partial, cut_off.citations) == (True, [source])


# -- blocks ----------------------------------------------------------------------------------------------------------


def test_every_key_of_a_block_is_kept() -> None:
    blocks = [
        text("It rains.", citations=[{"url": "https://example.org"}], cache_control={"type": "ephemeral"}),
        {"type": "thinking", "thinking": "hm", "signature": "signed"},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}, "caller": {"type": "direct"}},
        {"type": "mcp_tool_use", "id": "t2", "name": "Bash", "server_name": "far", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "t3", "content": [{"url": "u"}], "caller": "x"},
        {"type": "redacted_thinking", "data": "c2VjcmV0"},
        {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
        {"type": "hologram", "depth": 3},
        "no block at all",
        {"type": "text", "text": 7, "why": "a number"},
    ]

    found = events(says(*blocks))

    stored = [json.dumps(json.loads(encode(event)[1])) for event in found]
    values = [
        "cache_control",
        "signed",
        "caller",
        "server_name",
        "caller",
        "c2VjcmV0",
        "from",
        "depth",
        "no block",
        "7",
    ]
    assert [value for value, payload in zip(values, stored, strict=True) if value not in payload] == []
    assert [event for event in found if isinstance(decode(*encode(event)), Unknown)] == []
    assert [event.name for event in found if isinstance(event, ToolUse)] == ["Bash", "mcp__far__Bash"]


@pytest.mark.parametrize("given", [[], "", None, "{broken", ["ls"], 7])
def test_a_call_whose_input_is_no_object_is_still_a_call(given: object) -> None:
    [use] = events(says({"type": "tool_use", "id": "t", "name": "Bash", "input": given}))

    again = decode(*encode(use))
    assert isinstance(again, ToolUse)
    assert (again.name, json.dumps(given) in json.dumps([again.input, again.more]) or not given) == ("Bash", True)


FAILED = [
    ("web_search_tool_result", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}, {}),
    ("web_fetch_tool_result", {"type": "web_fetch_tool_result_error", "error_code": "url_not_accessible"}, {}),
    ("code_execution_tool_result", {"type": "code_execution_tool_result_error", "error_code": "unavailable"}, {}),
    ("code_execution_tool_result", {"type": "code_execution_result", "stdout": "", "return_code": 1}, {}),
    ("bash_code_execution_tool_result", {"type": "bash_code_execution_result", "return_code": 2}, {}),
    ("bash_code_execution_tool_result", {"type": "bash_code_execution_tool_result_error"}, {}),
    ("text_editor_code_execution_tool_result", {"type": "text_editor_code_execution_tool_result_error"}, {}),
    ("tool_search_tool_result", {"type": "tool_search_tool_result_error", "error_code": "unavailable"}, {}),
    ("mcp_tool_result", [text("no such file")], {"is_error": True}),
    ("tool_result", "Exit code 1", {"is_error": True}),
]
WENT_WELL = [
    ("web_search_tool_result", [{"type": "web_search_result", "url": "https://example.org"}], {}),
    ("web_search_tool_result", [], {}),
    ("bash_code_execution_tool_result", {"type": "bash_code_execution_result", "return_code": 0}, {}),
    ("text_editor_code_execution_tool_result", {"type": "text_editor_code_execution_view_result"}, {}),
    ("tool_search_tool_result", {"type": "tool_search_tool_search_result", "tool_references": []}, {}),
    ("mcp_tool_result", [text("fine")], {"is_error": False}),
    ("tool_result", None, {}),
]


@pytest.mark.parametrize(
    ("kind", "content", "more", "failed"),
    [(*case, True) for case in FAILED] + [(*case, False) for case in WENT_WELL],
)
def test_a_server_tool_that_failed_is_told_from_one_that_did_not(
    kind: str, content: object, more: Frame, failed: bool
) -> None:
    [answer] = events(says({"type": kind, "tool_use_id": "t", "content": content, **more}))

    assert isinstance(answer, ToolResult)
    assert answer.is_error is failed


# -- results ---------------------------------------------------------------------------------------------------------


def test_a_result_says_why_the_model_stopped_and_what_was_not_allowed() -> None:
    denied = [{"tool_name": "Bash", "tool_use_id": "t", "tool_input": {"command": "rm x"}}]

    [end] = events(result(stop_reason="refusal", permission_denials=denied, stop_details={"category": "x"}))

    assert isinstance(end, Result)
    assert (end.stop_reason, end.permission_denials) == ("refusal", denied)
    assert end.more == {"stop_details": {"category": "x"}}


@pytest.mark.parametrize("name", ["num_turns", "total_cost_usd", "duration_ms", "origin", "usage", "result", "uuid"])
@pytest.mark.parametrize("value", ["many", [1], {"a": 1}, True, 1e400])
def test_a_turn_ends_whatever_its_figures_look_like(name: str, value: object) -> None:
    [said] = translated(result(user_message_uuid="u", **{name: value}))

    assert said.turn_end is not None
    assert (said.turn_end.status, said.turn_end.prompt_uuids) == (SessionStatus.COMPLETED, ["u"])
    assert not any(isinstance(decode(*encode(event)), Unknown) for event in said.events)


def test_what_is_meant_for_claude_code_s_developers_is_no_headline() -> None:
    diagnostic = "[ede_diagnostic] result_type=assistant last_content_type=image"

    [error, _] = events(result(is_error=True, subtype="error_during_execution", errors=[diagnostic]))

    assert isinstance(error, Error)
    assert (error.message, error.detail) == ("The turn failed.", diagnostic)


def test_commands_that_changed_are_kept_by_name_and_told_once() -> None:
    changed = {
        "type": "system",
        "subtype": "commands_changed",
        "commands": [{"name": "compact", "description": "x" * 9_000}, {"name": "init"}],
    }

    found = events(changed, changed)

    assert found == [System(subtype="commands_changed", data={"slash_commands": ["compact", "init"]})]


@pytest.mark.parametrize("told", [("init a", "changed b", "init a"), ("init a", "changed b", "init c", "changed b")])
def test_the_commands_told_last_are_the_last_event(told: tuple[str, ...]) -> None:
    found = events(*(commands_told(*one.split()) for one in told))

    assert [(event.subtype, event.data) for event in found if isinstance(event, System)] == [
        ("init" if kind == "init" else "commands_changed", {"slash_commands": [name]})
        for kind, name in (one.split() for one in told)
    ]


def commands_told(kind: str, name: str) -> Frame:
    if kind == "init":
        return {"type": "system", "subtype": "init", "slash_commands": [name]}
    return {"type": "system", "subtype": "commands_changed", "commands": [{"name": name}]}


# -- anything, in any order ------------------------------------------------------------------------------------------

_TEXTS = st.text(alphabet="abc \n", max_size=12)
_PARENTS = st.sampled_from([None, None, "toolu_sub", "toolu_other", 7])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner),
    max_leaves=5,
)
_KINDS = ["assistant", "user", "stream_event", "system", "result", "rate_limit_event", "conversation_reset", "x", None]
_FRAMES = st.one_of(
    st.builds(lambda words, parent: says(text(words), parent=parent), _TEXTS, _PARENTS),
    st.builds(lambda parent: api_error(parent=parent), _PARENTS),
    st.builds(lambda number: begins(f"msg_{number}"), st.integers(0, 3)),
    st.builds(lambda kind, parent: stream({"type": "content_block_start", "content_block": {"type": kind}}, parent),
              st.sampled_from(["text", "thinking", "tool_use", "odd"]), _PARENTS),
    st.builds(lambda words, kind, parent: stream(
        {"type": "content_block_delta", "delta": {"type": f"{kind}_delta", kind: words}}, parent),
        _TEXTS, st.sampled_from(["text", "thinking"]), _PARENTS),
    st.builds(lambda parent: {**RETRY, "parent_tool_use_id": parent}, _PARENTS),
    st.builds(lambda reason, parent: result(is_error=True, terminal_reason=reason, parent_tool_use_id=parent),
              st.sampled_from(["aborted_streaming", "aborted_tools", "api_error", None]), _PARENTS),
    st.builds(lambda kind, value, name: {"type": kind, name: value}, st.sampled_from(_KINDS), _JSON,
              st.sampled_from(["message", "event", "subtype", "rate_limit_info", "content", "parent_tool_use_id"])),
    _JSON,
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(_FRAMES, max_size=30))
def test_no_frame_raises_none_is_lost_and_live_text_never_shrinks_before_its_event(frames: list[object]) -> None:
    said = translated(*frames, result())

    for frame, one in zip(frames, said, strict=False):
        assert not any(isinstance(decode(*encode(event)), Unknown) for event in one.events)
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind not in ("stream_event", "system"):
            # Blocks come whole after their stream; of the machinery, what says nothing is left out by name.
            assert len(one.events) >= _blocks_in(frame)
        if isinstance(frame, dict) and frame.get("parent_tool_use_id") is not None:
            assert (one.live, one.clear_live, one.turn_end) == (None, False, None)
    shown, _ = shown_and_kept(said)
    assert shown == ""


def _blocks_in(frame: object) -> int:
    """How many events a frame makes at least: one for each of its blocks."""
    message = frame.get("message") if isinstance(frame, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    return len(content) if isinstance(content, list) else 1


@pytest.mark.parametrize(("model", "printed"), [("<synthetic>", True), ("claude-opus-5-5", False)])
def test_what_a_slash_command_printed_is_told_from_an_answer(model: str, printed: bool) -> None:
    frame = says({"type": "text", "text": "a\nb"})
    frame["message"]["model"] = model

    assert [event.printed for event in events(frame) if isinstance(event, Text)] == [printed]
