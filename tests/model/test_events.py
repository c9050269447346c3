"""The events' one encoding: every value survives it, and no stored text can make it fail."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lulu.model.events import (
    TYPES,
    Event,
    System,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
    User,
    decode,
    encode,
)
from tests.samples import EVENTS

#: Signs that make trouble somewhere.
ODD = '\0\ud800\udfff\u202e\u200d\ufffe\x1b😀é"\\'


def joined(text: str) -> str:
    """As JSON reads it back: two surrogates side by side are the one sign that they stand for."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


#: Any text that Python can hold, lone surrogates and NUL too.
TEXTS = (st.text(st.characters(categories=None)) | st.text(st.sampled_from(ODD))).map(joined)
#: Any value that JSON can hold.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=4)
#: A value for each kind of field.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    "dict[str, Any]": OBJECTS,
    "list[Any]": st.lists(JSON, max_size=4),
    "Any": JSON,
}


def _events() -> st.SearchStrategy[Event]:
    def of_kind(kind: type[Event]) -> st.SearchStrategy[Event]:
        values = {}
        for field in dataclasses.fields(kind):
            name = str(field.type)
            value = FIELDS[name.removesuffix(" | None")]
            values[field.name] = value if name == "bool" or field.default is dataclasses.MISSING else st.none() | value
        return st.builds(kind, **values)

    return st.one_of([of_kind(kind) for kind in TYPES.values()])


@pytest.mark.parametrize("event_type", TYPES)
def test_every_type_has_a_sample_that_survives(event_type: str) -> None:
    for event in EVENTS[event_type]:
        assert decode(*encode(event)) == event
        assert encode(event)[0] == event_type


@settings(max_examples=500)
@given(_events())
def test_every_event_survives(event: Event) -> None:
    event_type, payload = encode(event)

    assert payload.isascii()
    assert decode(event_type, payload) == event


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800",
        "\U0001f600",
        "\u202eright to left\u202c",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
        "\x1b[31mred\x1b[0m\x07\x9b",
        "\ufffe\uffff\ufeff",
        "e\u0301 \u00e9",
        "\u2028\u2029\x85\r\n\r",
        "</script><!--",
        "😀" * 100_000,
    ],
    ids=ascii,
)
def test_text_is_kept_sign_for_sign(text: str) -> None:
    for event in (Text(content=text), ToolUse(id=text, name=text, input={text: [text]}), User(text=text, uuid=text)):
        assert decode(*encode(event)) == event


def test_empty_fields_are_left_out() -> None:
    assert encode(Text(content="x")) == ("text", '{"content":"x"}')
    assert encode(ToolResult(tool_use_id="t")) == ("tool_result", '{"tool_use_id":"t"}')
    assert encode(Text(content="", partial=True)) == ("text", '{"partial":true,"content":""}')


@pytest.mark.parametrize("value", [False, True, 0, 0.0, "", [], {}, None, [None], {"": None}], ids=repr)
def test_what_a_tool_answers_is_kept_whatever_it_is(value: object) -> None:
    found = decode(*encode(ToolResult(tool_use_id="t", content=value, data=value)))

    assert isinstance(found, ToolResult)
    assert (found.content, type(found.content)) == (value, type(value))
    assert (found.data, type(found.data)) == (value, type(value))


UNREADABLE = [
    "",
    " ",
    "{",
    "[]",
    "7",
    "null",
    '"text"',
    "{'content': 1}",
    "\0",
    "\ufeff{}",
    '{"content": 7}',
    '{"content": null}',
    '{"content": "x", "uuid": 7}',
    '{"content": "x", "partial": 1}',
    '{"content": "x", "parent": []}',
    '{"other": "x"}',
    "[" * 100_000,
    '{"content":' * 5_000,
    '{"content": "x", "n": ' + "9" * 5_000 + "}",
]


@pytest.mark.parametrize("payload", UNREADABLE, ids=lambda payload: ascii(payload[:30]))
def test_payload_that_does_not_fit_is_kept_as_it_stands(payload: str) -> None:
    found = decode("text", payload)

    assert found == Unknown(event_type="text", raw=payload)
    assert encode(found) == ("text", payload)


@pytest.mark.parametrize("event_type", ["", "TEXT", "text ", "progress", "\0", "\ud800", "x" * 10_000], ids=ascii)
def test_type_that_nobody_knows_is_kept(event_type: str) -> None:
    payload = '{"content": "x"}'

    found = decode(event_type, payload)

    assert found == Unknown(event_type=event_type, raw=payload)
    assert encode(found) == (event_type, payload)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "123456789012345678901234567890"]
)
def test_numbers_beyond_json_are_read(number: str) -> None:
    found = decode("tool_result", f'{{"tool_use_id": "t", "content": {number}}}')

    assert isinstance(found, ToolResult)
    assert isinstance(found.content, int | float)


def test_what_a_later_version_adds_is_no_reason_not_to_read() -> None:
    assert decode("thinking", '{"content": "x", "signature": "…", "later": {}}') == Thinking(content="x")


def test_depth_of_a_thousand_is_read_or_kept() -> None:
    for depth in range(100, 2_000, 50):
        payload = '{"subtype": "deep", "data": ' + '{"x":' * depth + "1" + "}" * depth + "}"

        found = decode("system", payload)

        assert isinstance(found, System) or found == Unknown(event_type="system", raw=payload)


@settings(max_examples=1000)
@given(st.sampled_from(sorted(TYPES)) | TEXTS, TEXTS | JSON.map(json.dumps) | OBJECTS.map(json.dumps))
def test_nothing_makes_decoding_fail(event_type: str, payload: str) -> None:
    found = decode(event_type, payload)

    assert isinstance(found, Event)
    if isinstance(found, Unknown):
        assert (found.event_type, found.raw) == (event_type, payload)


# -- times -----------------------------------------------------------------------------------------------------------
