"""The scripts and style sheets of the pages, as files, and a function that returns their text."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function)", re.MULTILINE)
#: Streamlit sends a script each time that it is drawn, so comments are removed.
_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)


@cache
def asset(name: str) -> str:
    """Return the text of a file of this folder. A script follows its imports, each file once."""
    if not name.endswith(".js"):
        return _read(name)
    *imported, script = _with_imports(name)
    return "".join(_EXPORT.sub("", _bare(one)) for one in imported) + _bare(script)


def _with_imports(name: str) -> list[str]:
    found = [one for imported in _IMPORT.findall(_read(name)) for one in _with_imports(imported)]
    return list(dict.fromkeys([*found, name]))


def _bare(name: str) -> str:
    return _COMMENT.sub("", _IMPORT.sub("", _read(name)))


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
