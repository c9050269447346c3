"""Questions of MCP servers: the text, the fields of the form, and the meaning of typed answers.

Pure. Reads the JSON schemas of MCP 2025-11-25: flat objects of texts, numbers, booleans and choices. A field of another
kind takes JSON. Patterns of a server are never run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from lulu.errors import InputError

#: The most characters of one answer.
LONGEST = 20_000


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of the form. Title, description and labels are untrusted text."""

    name: str
    #: ``text``, ``number``, ``integer``, ``boolean``, ``choice``, ``choices`` or ``json``.
    kind: str
    title: str
    description: str
    is_required: bool
    default: object = None
    #: ``email``, ``uri``, ``date`` or ``date-time``. Other formats are not checked.
    format: str = ""
    #: For a choice: pairs of value and label.
    options: tuple[tuple[str, str], ...] = ()
    #: Limits for the length of a text, the value of a number, or the number of choices.
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Elicitation:
    """A question of an MCP server."""

    server: str
    message: str
    #: The address that the server asks to open instead of a form. It may have any scheme.
    url: str
    fields: tuple[Field, ...]


def read(question: Mapping[str, object]) -> Elicitation:
    """Return the question in a stored event."""
    is_url = question.get("mode") == "url"
    return Elicitation(
        server=_text(question.get("display_name")) or _text(question.get("server")) or "A server",
        message=_text(question.get("message")),
        url=_text(question.get("url")) if is_url else "",
        fields=() if is_url else _fields(question.get("schema"), question.get("order")),
    )


def value_of(field: Field, said: object) -> object:
    """Return the typed or chosen answer as the server expects it, or ``None`` for an empty one.

    Raises ``InputError`` if the answer is missing or does not fit the field.
    """
    match said:
        case bool():
            return said
        case list():
            return _counted(field, said)
        case str() if said.strip() or field.kind == "choice":
            return _typed(field, said)
        case str() if field.is_required and field.kind == "text":
            # An empty or blank text is an answer, too. Only its length is checked.
            return _measured(field, said, len(said))
    if field.is_required:
        raise _wrong(field, "is missing")
    return None


def default_text(field: Field) -> str:
    """Return the initial text of a field. ``value_of`` reads it as the default."""
    match field.default:
        case None:
            return ""
        case str():
            return json.dumps(field.default) if field.kind == "json" else field.default
        case float() if field.kind == "integer" and field.default.is_integer():
            return str(int(field.default))
        case _:
            return json.dumps(field.default, ensure_ascii=False)


def _fields(schema: object, order: object) -> tuple[Field, ...]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(properties, Mapping):
        return ()
    required = schema.get("required")
    names = [name for name in order if name in properties] if isinstance(order, list) else []
    names = list(dict.fromkeys([*(name for name in names if isinstance(name, str)), *properties]))
    needed = required if isinstance(required, list) else []
    return tuple(_field(name, properties[name], is_required=name in needed) for name in names)


def _field(name: str, schema: object, *, is_required: bool) -> Field:
    told: Mapping[str, object] = schema if isinstance(schema, Mapping) else {}
    items = told.get("items")
    kind, options = _kind(told), _options(told)
    if kind == "array":
        options = _options(items) if isinstance(items, Mapping) else ()
        kind = "choices" if options else "json"
    elif options:
        kind = "choice"
    least, most = _LIMITS.get(kind, ("", ""))
    return Field(
        name=name,
        kind=kind,
        title=_text(told.get("title")) or name,
        description=_text(told.get("description")),
        is_required=is_required,
        default=told.get("default"),
        format=_text(told.get("format")),
        options=options,
        least=_number(told.get(least)),
        most=_number(told.get(most)),
    )


_KINDS = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean", "array": "array"}
_LIMITS = {
    "text": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "choices": ("minItems", "maxItems"),
}


def _kind(schema: Mapping[str, object]) -> str:
    kind = schema.get("type")
    if kind is None and (schema.get("enum") or schema.get("oneOf")):
        return "text"
    return _KINDS.get(kind, "json") if isinstance(kind, str) else "json"


def _options(schema: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the choices, from any form in the protocol: ``enum``, ``enumNames``, ``oneOf``, ``anyOf``."""
    titled = schema.get("oneOf") or schema.get("anyOf")
    if isinstance(titled, list) and titled:
        found = [(one.get("const"), one.get("title")) for one in titled if isinstance(one, Mapping)]
        known = tuple((value, _text(title) or value) for value, title in found if isinstance(value, str))
        return known if len(known) == len(titled) else ()
    values, names = schema.get("enum"), schema.get("enumNames")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return ()
    labels = names if isinstance(names, list) and len(names) == len(values) else values
    return tuple((value, _text(label) or value) for value, label in zip(values, labels, strict=True))


def _typed(field: Field, said: str) -> object:
    if len(said) > LONGEST:
        raise _wrong(field, f"is longer than {LONGEST:,} characters")
    match field.kind:
        case "text":
            if field.format and not _CHECKS.get(field.format, bool)(said.strip()):
                raise _wrong(field, f"is no {_FORMATS.get(field.format, field.format)}")
            return _measured(field, said.strip() if field.format in _CHECKS else said, len(said))
        case "choice":
            if said not in {value for value, _ in field.options}:
                raise _wrong(field, "is none of the choices")
            return said
        case "integer" | "number":
            return _measured(field, number := _as_number(field, said), number)
        case _:
            return _as_json(field, said)


def _as_number(field: Field, said: str) -> int | float:
    try:
        number: int | float = int(said) if field.kind == "integer" else float(said)
        # Servers read a whole number of 400 digits as infinite.
        float(number)
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(number, float) and not math.isfinite(number):
        raise _wrong(field, "is no whole number" if field.kind == "integer" else "is no number")
    return number


def _as_json(field: Field, said: str) -> object:
    try:
        found = json.loads(said)
        # ``json.loads`` accepts NaN and Infinity, but they are not JSON.
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError) as exc:
        raise _wrong(field, "is no JSON") from exc
    return found


def _counted(field: Field, chosen: list[object]) -> object:
    known = [value for value, _ in field.options if value in chosen]
    if not known and not field.is_required:
        return None
    return _measured(field, known, len(known))


def _measured(field: Field, value: object, measure: float) -> object:
    """Return the value, or raise ``InputError`` if it is outside the field's limits."""
    of = {"text": " characters", "choices": " choices"}.get(field.kind, "")
    if field.least is not None and measure < field.least:
        raise _wrong(field, f"has to be at least {field.least:g}{of}")
    if field.most is not None and measure > field.most:
        raise _wrong(field, f"may be at most {field.most:g}{of}")
    return value


def _is_email(said: str) -> bool:
    name, at, domain = said.rpartition("@")
    return bool(name and at and domain) and not any(letter.isspace() for letter in said)


def _is_address(said: str) -> bool:
    try:
        return bool(urlsplit(said).scheme) and ":" in said and not any(letter.isspace() for letter in said)
    except ValueError:
        return False


def _is_date(said: str) -> bool:
    try:
        return len(said) == len("2026-11-30") and bool(date.fromisoformat(said))
    except ValueError:
        return False


def _is_moment(said: str) -> bool:
    try:
        return said[10:11] in ("T", "t") and datetime.fromisoformat(said).tzinfo is not None
    except ValueError:
        return False


_CHECKS = {"email": _is_email, "uri": _is_address, "date": _is_date, "date-time": _is_moment}
_FORMATS = {
    "email": "e-mail address",
    "uri": "address",
    "date": "date like 2026-11-30",
    "date-time": "moment like 2026-11-30T12:00:00Z",
}


def _wrong(field: Field, why: str) -> InputError:
    return InputError(f"“{field.title[:80]}” {why}.", safe="Nothing was answered yet.", next_step="Correct it.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
