"""What follows a ``cd`` is asked where another folder changes what it does, however the folder is changed."""

from __future__ import annotations

import posixpath
import re

import pytest

from lulu.rules import decide
from tests.rules.rule_support import FOLDER, approves, call, rule


@pytest.mark.parametrize(
    "change",
    [
        *["cd /evil", "command cd /evil", "builtin cd /evil", "'cd' /evil", r"\cd /evil", "c''d /evil", "pushd /evil"],
        *["command builtin cd /evil", "popd", "chdir /evil", "time cd /evil", "CI=1 cd /evil", "cd", "cd -P -- /evil"],
        *["cd /evil > /dev/null", "nohup cd /evil"],
    ],
)
@pytest.mark.parametrize("then", ["git diff", "'git' diff", "command git diff", "timeout 5 git diff", "ls > out.txt"])
def test_what_follows_in_a_changed_folder_is_asked(change: str, then: str) -> None:
    rules = ["Bash(*cd*)", "Bash(*pushd *)", "Bash(popd *)", "Bash(*git* *)", "Bash(ls *)", "Edit(**)"]

    for joined in (f"{change} && {then}", f"{change}; {then}", f"{change}\n{then}", f"ls; {change} && ls && {then}"):
        assert not approves(rules, call("Bash", joined))


#: Where ``cd`` leads out of the session's folder, or nobody knows where.
OUT = [
    *["cd /evil", "cd ..", "cd a/../..", "cd", "cd ~", "cd ~evil", "cd ~/x", "cd -", "cd -P", "cd -- /evil", "pushd"],
    *[
        "pushd +1",
        "popd",
        "cd a && cd ../..",
        "cd a; popd",
        "cd project evil",
        "cd a*",
        "command cd /evil",
        "cd '/evil'",
    ],
    *["cd /home/ada/project2", "cd link", "cd a/link/b", f"cd {FOLDER}/link", "cd -L ..", "chdir /evil", "time cd .."],
]


@pytest.mark.parametrize("change", OUT)
@pytest.mark.parametrize(
    "then", ["npm run x", "./run.sh x", "rm -rf build", "cargo fmt", "timeout 5 make", "sudo make"]
)
def test_what_follows_outside_the_folder_is_asked(change: str, then: str) -> None:
    def linked(path: str) -> str:
        return re.sub(rf"{FOLDER}/(a/)?link", "/evil", posixpath.normpath(path))

    rules = [*("Bash(cd *)", "Bash(pushd *)", "Bash(popd *)", "Bash(chdir *)"), f"Bash({then})", "Bash(npm run *)"]

    found = decide([rule(each) for each in rules], call("Bash", f"{change} && {then}"), resolve=linked)

    assert found is None
    assert approves(rules, call("Bash", f"cd a && {then}"))
    assert approves(rules, call("Bash", f"cd {FOLDER}/a && cd .. && {then}"))


def test_programs_that_obey_no_folder_are_approved_outside() -> None:
    rules = ["Bash(cd *)", "Bash(ls *)", "Bash(grep *)", "Bash(head *)", "Bash(wc *)"]

    assert approves(rules, call("Bash", "cd /var/log && ls -la | grep x | timeout 5 head -5; cd - && wc -l x"))
