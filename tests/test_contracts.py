"""The contracts of pyproject.toml catch what they are for: each is broken in a copy of the house."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the house, in which something may be broken."""
    shutil.copytree(ROOT / "lulu", tmp_path / "lulu", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(house: Path) -> list[str]:
    """The names of the contracts that are broken there."""
    done = subprocess.run(LINT, cwd=house, capture_output=True, text=True, check=False, timeout=120)
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert len(verdicts) == (ROOT / "pyproject.toml").read_text().count("[[tool.importlinter.contracts]]"), done.stdout
    found = [name for name, verdict in verdicts.items() if verdict == "BROKEN"]
    assert done.returncode == (1 if found else 0)
    return found


def test_the_house_as_it_is_keeps_them(house: Path) -> None:
    assert broken(house) == []


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("lulu/transcript/citations.py", "import lulu.transcript.export", "No circle anywhere"),
        ("lulu/model/events.py", "import lulu.store.rows", "The house"),
        ("lulu/transcript/export.py", "import lulu.rules.values", "The house"),
        ("lulu/ui/content/blocks.py", "import lulu.ui.session.feed", "The rooms of the pages"),
        ("lulu/store/write/changes.py", "import lulu.store.parts.events", "The rooms of the store"),
        ("lulu/server/setup.py", "import streamlit", "Only lulu.ui imports streamlit"),
        ("lulu/engine/host.py", "import sqlalchemy", "Only lulu.store knows SQL"),
        ("lulu/ui/main.py", "import dataset", "Only lulu.store knows SQL"),
        ("lulu/engine/worker.py", "import claude_agent_sdk", "Only lulu.agent speaks to the Claude Agent SDK"),
        ("lulu/access/guard.py", "import lulu.server.routes.login", "The guard knows no route"),
        ("lulu/new_room.py", "value = 1", "The house"),
    ],
)
def test_what_stands_against_a_contract_is_found(house: Path, module: str, line: str, contract: str) -> None:
    path = house / module
    path.write_text(f"{path.read_text() if path.exists() else ''}\n{line}\n")

    assert any(name.startswith(contract) for name in broken(house))
