"""What ``make check`` runs for scripts fails for an error: each is put into a copy once."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

FOLDER = "lulu/ui/browser/assets"
SCRIPT = f"{FOLDER}/outage.js"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the scripts and of the rules for them."""
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    for rules in ROOT.glob(".ox*.json"):
        shutil.copy(rules, tmp_path)
    return tmp_path


def complaints(house: Path) -> str:
    """What the commands that ``make check`` has for scripts say of a copy, empty where they pass."""
    recipe = subprocess.run(["make", "--dry-run", "check"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [shlex.split(line) for line in recipe.splitlines() if FOLDER in line]
    assert len(commands) == 2
    said = ""
    for program, *arguments in commands:
        done = subprocess.run([ROOT / program, *arguments], cwd=house, capture_output=True, text=True, timeout=120)
        said += (done.stdout + done.stderr) if done.returncode else ""
    return said


def test_the_scripts_as_they_are_pass(house: Path) -> None:
    assert complaints(house) == ""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("export const late = misspelled;", "misspelled"),
        ('import { misspelled } from "./keys.js";', "misspelled"),
        ("const unused = 1;", "unused"),
        ("export const broken = (;", "Unexpected token"),
        ("export  const spaced = 1;", "outage.js"),
    ],
)
def test_an_error_in_a_script_is_found(house: Path, line: str, complaint: str) -> None:
    with (house / SCRIPT).open("a", encoding="utf-8") as script:
        script.write(f"{line}\n")

    assert complaint in complaints(house)
