"""Payloads: JSON objects of the database, checked against the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, NotRequired, get_type_hints

from pydantic import ConfigDict, TypeAdapter, with_config

# Pydantic reads the standard library's only from Python 3.12 on.
from typing_extensions import TypedDict

#: A whole number stays one where a field holds a float.
_NUMBERS: Mapping[Any, Any] = {float: int | float, float | None: int | float | None}

_Unknown = Literal["ignore", "forbid"]
#: One check for each class and way to use it.
_BUILT: dict[Any, TypeAdapter[dict[str, Any]]] = {}


def required(kind: type[Any]) -> frozenset[str]:
    """Return the names of the fields without a default."""
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


def payload_of(
    kind: type[Any], *, without: frozenset[str] = frozenset(), unknown: _Unknown = "ignore"
) -> TypeAdapter[dict[str, Any]]:
    """Return a strict check of values for the fields of ``kind``.

    1.5 is no ``int``, and a number is no ``str``. Its ``validate_python`` returns the values and raises
    ``ValidationError``, a ``ValueError``. Fields with a default may be missing. ``unknown`` says whether other names
    are left out or an error.
    """
    key = (kind, without, unknown)
    if key not in _BUILT:
        _BUILT[key] = _built(kind, without, unknown)
    return _BUILT[key]


def _built(kind: type[Any], without: frozenset[str], unknown: _Unknown) -> TypeAdapter[dict[str, Any]]:
    hints, needed = get_type_hints(kind), required(kind)
    values: dict[str, Any] = {}
    for name in [field.name for field in fields(kind) if field.name not in without]:
        hint = _NUMBERS.get(hints[name], hints[name])
        values[name] = hint if name in needed else NotRequired[hint]
    # Its names are only known now: no type checker can read it.
    typed_dict: Any = TypedDict
    return TypeAdapter(with_config(ConfigDict(strict=True, extra=unknown))(typed_dict(kind.__name__, values)))
