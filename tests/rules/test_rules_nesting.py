"""What deny rules see behind and inside of ``${…}``, ``$(…)``, ``((…))``, ``[[…]]`` and ``<<``, however they nest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rules.rule_support import approves, call, denies

#: In each of them bash runs ``rm x``.
RUN_BY_BASH = [
    # `${…}` ends at a brace that is neither quoted nor inside of something else.
    *["echo ${x:-'}'};rm x", 'echo ${x:-"}"};rm x', "echo ${x#'}'} && rm x", "echo ${x:+'}'};rm x"],
    *["echo ${x:-\\}};rm x", "echo ${x:-{};rm x", "echo ${x:-{}};rm x", "echo ${x:-${y:-'}'}};rm x"],
    *["echo ${x:-$(echo })};rm x", "echo ${x:-`echo '}'`};rm x", 'echo ${x:-"`echo }`"};rm x'],
    *["echo ${x:-$'\\'}'};rm x", "echo ${x:-\\'};rm x", 'echo ${x:-"$(echo "}")"};rm x', "echo ${x-\n'}'\n};rm x"],
    *["x=1;echo ${x/'}'/y};rm x", "x=1;echo ${x/\\}/y};rm x", "x=1;echo ${x^^'}'};rm x", "echo ${#x};rm x"],
    *["echo ${x:-a'}'b\"}\"\\}c};rm x", "echo ${x:-#};rm x", "[[ a =~ ${x:-'}'} ]];rm x"],
    # In double quotes an apostrophe is one only behind `#`, `%` and `/`.
    *["echo \"${x:-'}'}\";rm x", "echo \"${x#'}'}\";rm x", 'echo "${x:-"}"}";rm x'],
    *['echo "${x-"\'"}";rm x', 'echo "${x:-\\\'}";rm x', "echo \"${x:-`echo '}'`}\";rm x"],
    # Commands inside.
    *["echo \"${x:-'$(rm x)'}\"", "echo ${x:-<(rm x)}", "x='$(rm x)';echo ${x@P}", "echo ${a[$(rm x)]}"],
    *["a=(1);echo ${a['$(rm x)']}", "a=(1);echo \"${a['$(rm x)']}\"", "a=(1);echo ${a[0]:'$(rm x)':1}"],
    *["${x:-'rm'} x", "${x:-r\\m} x", "${x:-${y:-rm}} x", "echo ${x:-$(echo $(rm x))}"],
    # Numbers have no comments and no texts behind `<<`, and an apostrophe quotes nothing in them.
    *["echo $((1<<E))\nrm x\nE\n", "((1<<E))\nrm x\nE\n", "E=1;((1<<E))\nrm x\nE\n", "echo $[1<<E]\nrm x\nE\n"],
    *["echo $(('a[$(rm x)]'))", "(('a[$(rm x)]'))", "echo $['a[$(rm x)]']", "echo $(( 16#ff ));rm x"],
    *["echo $((echo 1);(rm x))", "((echo 1);(rm x))", "echo $(((1)+(2)));rm x"],
    # `#`
    *["[[ a =~ (#) ]];rm x", "[[ a == @(#) ]];rm x", "[[ a =~ ( #) ]];rm x", "[[ a =~ (a|#) ]];rm x"],
    *["echo $(echo # '\n);rm x", "echo $( (echo a) # )\n);rm x", "a=(# '\n);rm x", "[[ a =~ [#] ]];rm x"],
    # `$(…)`
    *["echo $(echo ${x:-)});rm x", "echo $(echo ${x:-')'});rm x", "echo $(echo $'\\'');rm x"],
    *["echo $(cat <<E\n'\nE\n);rm x", "echo $(cat <<E\n)\nE\n);rm x", "echo $(case a in a) echo;; esac);rm x"],
    *["echo `echo \\``;rm x", 'echo "`echo \\"`";rm x', "echo $(<x);rm x"],
    # `<<`: what the word is that ends the text, and where.
    *["cat <<$E\nfoo\n$E\nrm x", "cat <<${E}\nfoo\n${E}\nrm x", "cat <<`E`\nfoo\n`E`\nrm x", "cat <<$E\n$(rm x)\n$E"],
    *["cat <<$(E)\nfoo\n$(E)\nrm x", "cat <<$'E'\nfoo\nE\nrm x", "cat <<E\\\nF\nfoo\nEF\nrm x"],
    *["cat <<E\nfoo\\\nE\nbar 'x\nE\nrm x", "cat <<E\nfoo\nE\\\n\nrm x", "cat <<'E'\nfoo\\\nE\nrm x"],
    *["cat <<E\n${x:-'}\nE\nrm x", 'cat <<E\n${x:-"}"}\nE\nrm x', "cat <<E\n${x:-'$(rm x)'}\nE"],
    *["cat <<E;cat <<'F'\n$x'\nE\n\"\nF\nrm x", "cat <<''\nfoo\n\nrm x", "cat <<E\nfoo\\\\\nE\nrm x"],
]


@pytest.mark.parametrize("command", RUN_BY_BASH)
def test_deny_rule_sees_what_bash_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    bash = shutil.which("bash")
    assert bash

    subprocess.run([bash, "-c", command], cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL, check=False)

    assert not (tmp_path / "x").exists()
    assert denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize(
    "command",
    [
        # dash and zsh end these elsewhere.
        'echo "${x:-\'}";rm x',
        "sh -c 'echo $[1;rm x]'",
        "zsh -c 'echo ${x:-{}};rm x'",
        "echo ${x:-{}; rm x; }",
    ],
)
def test_deny_rule_sees_what_another_shell_runs(command: str) -> None:
    assert denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize(
    "command",
    [
        "echo ${x:-'; rm x'}",
        'echo "${x:-a}; rm x"',
        "echo $((1 << 2)) '; rm x'",
        'echo "$[n+1]; rm x"',
        "(( n++ )); echo '; rm x'",
        "git commit -m \"$(cat <<'EOF'\nLet rm x be\n# it's (rm x)\n1) rm x\nEOF\n)\"",
        "x=$(cat <<EOF\nit's\n1) rm x\nEOF\n)",
        "cat <<EOF\n${x:-it's}; rm x\nEOF",
        "cat > a <<'EOF'\nfoo \\\nrm x\nEOF",
        "[[ $a =~ ^(b|c)$ ]] && ls # rm x",
        "; ".join(f"echo ${{a{n}%.*}} ${{b{n}:-'c'}} \"$((n + {n}))\"" for n in range(60)) + "; echo '; rm x'",
    ],
)
def test_deny_rule_says_nothing_of_what_only_stands_beside(command: str) -> None:
    assert not denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize("piece", ["${x:-", "\"${x#'}'{} ", "$((", "((", "$[", "$(cat <<E\n", "[[ (#", "${x:-`"])
def test_nesting_without_an_end_is_read_roughly(piece: str) -> None:
    command = piece * (20_000 // len(piece)) + "\nrm x\n"

    assert denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize(
    "command",
    [
        *["bash -c 'rm x' --version", "sh -c 'rm x' --version", "source x --version", ". ./x --version"],
        *["python3.11 x.py --version", "/usr/bin/perl -e 1 --version", "node x.js --version", "awk 1 x --version"],
        *["sudo rm x --version", "env rm x --version", "npx x --version", "ssh h --version", "trap 'rm x' --version"],
        *["nohup bash -c 'rm x' --version", "make x --version", "ba''sh -c 'rm x' --version", "fish x --version"],
    ],
)
def test_rule_for_any_program_does_not_approve_one_that_runs_another(command: str) -> None:
    assert not approves("Bash(* --version)", call("Bash", command))


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("Bash(* --version)", "bash --version"),
        ("Bash(* --version)", "python3 --version"),
        ("Bash(* --version)", "cargo x --version"),
        ("Bash(python3 *)", "python3 x.py"),
        ("Bash(python3*)", "python3 x.py"),
        ("Bash(sudo * --version)", "sudo git x --version"),
    ],
)
def test_rule_still_approves(pattern: str, command: str) -> None:
    assert approves(pattern, call("Bash", command))
