"""What a program runs that runs others: its options are looked at as if it stood alone, and the rules table says so."""

from __future__ import annotations

import pytest

from lulu.rules.shell.options import narrows
from lulu.rules.text_globs import text_glob
from tests.rules.rule_support import approves, call

#: Before the program whose options count.
RUNNERS = [
    *["sudo", "sudo -u bob", "sudo -n", "sudo -nu bob --", "sudo -E A=b", "sudo timeout 5", "sudo nice -n 5", "doas"],
    *["doas -u bob", "chronic", "xvfb-run", "xvfb-run -a", "caffeinate -i", "sudo sudo", "sudo chronic", "gtimeout 5"],
    *["/usr/bin/sudo", "uv run", "poetry run", "npx", "proxychains4 -q", "sudo nohup", "unbuffer"],
    *["pkexec", "dbus-run-session --", "systemd-run --user", "fakeroot", "sudo --user=bob", "rlwrap -a", "hyperfine"],
]


@pytest.mark.parametrize("runner", RUNNERS)
def test_option_behind_a_runner_is_asked_unless_the_rule_names_it(runner: str) -> None:
    for command in ("git diff --output=F", "git -C /evil diff", "tree -o F", "uniq a b", "npm run x --prefix /evil"):
        program = command.split()[0]
        for pattern in (f"{runner} *", f"{runner} {program} *", "* *"):
            assert not approves(f"Bash({pattern})", call("Bash", f"{runner} {command}")), (pattern, command)
        assert approves(f"Bash({runner} {command})", call("Bash", f"{runner} {command}"))
    assert approves(f"Bash({runner} git diff --output=*)", call("Bash", f"{runner} git diff --output=F"))


@pytest.mark.parametrize("runner", RUNNERS)
def test_harmless_call_behind_a_runner_goes_on(runner: str) -> None:
    for command in ("git diff --stat a b", "rm -rf x", "apt-get install -y git tree -o x", "git push --force", "date"):
        program = command.split()[0]
        for pattern in (f"{runner} *", f"{runner} {program} *"):
            assert approves(f"Bash({pattern})", call("Bash", f"{runner} {command}")), (pattern, command)


@pytest.mark.parametrize(
    ("pattern", "narrowed"),
    [
        ("sudo git diff *", True),
        ("sudo -u bob git *", True),
        ("sudo *", True),
        ("sudo -n *", True),
        ("timeout 30 git diff *", True),
        ("nohup nice -n 5 tree *", True),
        ("sudo timeout 5 uniq *", True),
        ("npx tree *", True),
        ("git dif*", True),
        ("git --no-pager diff *", True),
        ("sudo rm *", False),
        ("sudo git push *", False),
        ("timeout 30 ls *", False),
        ("sudo systemctl restart *", False),
        ("timeout 30 npm test *", False),
        ("git push*", False),
        ("command -v *", False),
        ("sudo git diff --stat", False),
    ],
)
def test_rules_table_marks_what_is_narrowed_behind_a_wrapper(pattern: str, narrowed: bool) -> None:
    assert narrows(text_glob(pattern, ends_word=True)) is narrowed
