"""The form of an MCP server's question: every schema of the protocol is read, and what does not fit is not answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.errors import InputError
from lulu.model.elicitations import Field, default_text, read, value_of


def field(schema: object, *, required: bool = False) -> Field:
    needed = ["x"] if required else []
    [found] = read({"schema": {"type": "object", "properties": {"x": schema}, "required": needed}}).fields
    return found


FITS: list[tuple[dict[str, Any], object, object]] = [
    ({"type": "string"}, " as typed ", " as typed "),
    ({"type": "string", "format": "email"}, " a@example.org ", "a@example.org"),
    ({"type": "string", "format": "uri"}, "https://example.org/a", "https://example.org/a"),
    ({"type": "string", "format": "date"}, "2026-11-30", "2026-11-30"),
    ({"type": "string", "format": "date-time"}, "2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"),
    ({"type": "string", "format": "later"}, "x", "x"),
    ({"type": "string", "pattern": "(a+)+$"}, "a" * 5_000 + "!", "a" * 5_000 + "!"),
    ({"type": "integer", "minimum": 1, "maximum": 65535}, "8080", 8080),
    ({"type": "integer"}, "123456789012345678901", 123456789012345678901),
    ({"type": "number", "minimum": -1}, "-0.5", -0.5),
    ({"type": "boolean"}, True, True),
    ({"type": "boolean"}, False, False),
    ({"type": "string", "enum": ["a", "b"]}, "b", "b"),
    ({"enum": ["a", "b"]}, "b", "b"),
    ({"type": "string", "enum": ["a"], "enumNames": ["An A"]}, "a", "a"),
    ({"type": "string", "oneOf": [{"const": "a", "title": "An A"}]}, "a", "a"),
    ({"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}}, ["c", "a"], ["a", "c"]),
    ({"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}, "minItems": 1}, ["a"], ["a"]),
    ({"type": "object"}, '{"a": 1}', {"a": 1}),
    ({"type": "string", "enum": ["a", ""]}, "", ""),
    ({"type": "string", "enum": ["a", "b"]}, None, None),
    ({"type": "string"}, "", None),
    ({"type": "integer"}, " ", None),
]


@pytest.mark.parametrize(("schema", "said", "value"), FITS)
def test_what_fits_is_what_the_server_gets(schema: dict[str, Any], said: object, value: object) -> None:
    assert value_of(field(schema), said) == value


DOES_NOT_FIT: list[tuple[dict[str, Any], object]] = [
    ({"type": "integer"}, "1.5"),
    ({"type": "integer"}, "many"),
    ({"type": "integer", "maximum": 65535}, "65536"),
    ({"type": "integer"}, "9" * 5_000),
    ({"type": "number"}, "nan"),
    ({"type": "number"}, "1e999"),
    ({"type": "number"}, ""),
    ({"type": "string", "minLength": 1}, ""),
    ({"type": "string", "minLength": 3}, "ab"),
    ({"type": "string", "maxLength": 3}, "abcd"),
    ({"type": "string"}, "a" * 20_001),
    ({"type": "string", "format": "email"}, "a@"),
    ({"type": "string", "format": "email"}, "a b@example.org"),
    ({"type": "string", "format": "uri"}, "no address"),
    ({"type": "string", "format": "uri"}, "https://[broken"),
    ({"type": "string", "format": "date"}, "30.11.2026"),
    ({"type": "string", "format": "date-time"}, "2026-11-30"),
    ({"type": "string", "enum": ["a", "b"]}, "c"),
    ({"type": "string", "enum": ["a", "b"]}, ""),
    ({"type": "string", "enum": ["a", ""]}, None),
    ({"type": "integer"}, "9" * 400),
    ({"type": "object"}, "NaN"),
    ({"type": "array"}, "[1e999]"),
    ({"type": "array"}, "[" * 10_000),
    ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}, []),
    ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, ["a", "b"]),
    ({"type": "object"}, "{broken"),
]


@pytest.mark.parametrize(("schema", "said"), DOES_NOT_FIT)
def test_what_does_not_fit_is_told_and_not_answered(schema: dict[str, Any], said: object) -> None:
    with pytest.raises(InputError):
        value_of(field(schema, required=True), said)


def test_blanks_that_are_wanted_are_kept() -> None:
    assert value_of(field({"type": "string"}, required=True), "  ") == "  "


DEFAULTS: list[tuple[dict[str, Any], str, object]] = [
    ({"type": "string", "default": "a\nb"}, "a\nb", "a\nb"),
    ({"type": "integer", "default": 3.0}, "3", 3),
    ({"type": "number", "default": 0.5}, "0.5", 0.5),
    ({"type": "object", "default": {"a": True}}, '{"a": true}', {"a": True}),
    ({"type": "object", "default": "a"}, '"a"', "a"),
    ({"type": "string"}, "", None),
]


@pytest.mark.parametrize(("schema", "shown", "value"), DEFAULTS)
def test_a_default_that_is_left_as_it_is_fits(schema: dict[str, Any], shown: str, value: object) -> None:
    assert default_text(field(schema)) == shown
    assert value_of(field(schema), shown) == value


def test_a_form_keeps_the_server_s_order_titles_and_defaults() -> None:
    properties = {"b": {"type": "string", "default": "x"}, "a": {"type": "boolean", "title": "Sure?", "default": True}}

    asked = read({"server": "s", "message": "m", "schema": {"properties": properties}, "order": ["a", "gone", 7]})

    assert [(one.name, one.title, one.default) for one in asked.fields] == [("a", "Sure?", True), ("b", "b", "x")]


def test_a_page_to_open_has_no_form() -> None:
    asked = read(
        {"mode": "url", "url": "https://example.org", "message": "Sign in", "schema": {"properties": {"a": {}}}}
    )

    assert (asked.url, asked.fields) == ("https://example.org", ())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["string", "array", "integer", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "enum", "oneOf", "items", "properties", "x", "const", "title", "minimum", "required"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON, st.text(max_size=10) | st.booleans() | st.lists(st.text(max_size=3), max_size=2))
def test_a_schema_of_any_shape_is_read_and_answered_or_refused(schema: object, said: object) -> None:
    for found in read({"schema": schema, "order": schema, "server": schema, "message": schema}).fields:
        try:
            value_of(found, said)
        except InputError as exc:
            assert exc.happened  # noqa: PT017 - a refusal is as good as an answer here
