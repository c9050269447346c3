"""Rules judge what a command means, however it is written: quotes, wrappers, options, folders that programs obey."""

from __future__ import annotations

import pytest

from lulu.rules import explain, suggest
from lulu.rules.shell.harmless import HARMLESS, SCRIPTS
from lulu.rules.shell.options import narrows
from lulu.rules.text_globs import text_glob
from tests.rules.rule_support import FOLDER, approves, call, rule, unlinked, verdict

#: Ways to write an action of ``find`` and what it may stand behind.
ACTIONS = ["-delete", "'-delete'", '"-delete"', r"\-delete", "-del''ete", "-dele?e", "-[d]elete", "*", "-rm"]
EXECS = [
    "-exec rm {} +",
    '"-exec" rm {} +',
    r"-ex\ec rm {} +",
    "-ok'dir' rm {} +",
    "-fprin't' out",
    "-execdir ./x {} +",
]
WRAPPERS = ["", "command ", "nohup ", "time -p ", "nice -n 5 ", "timeout 5 ", "'command' ", "/usr/bin/nohup "]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("action", [*ACTIONS, *EXECS])
def test_find_that_acts_is_asked_however_it_is_written(action: str, wrapper: str) -> None:
    for pattern in ("Bash(find *)", f"Bash({wrapper}find *)", "Bash(* . *)"):
        assert not approves(pattern, call("Bash", f"{wrapper}find . {action}"))
    for finder in ("gfind", "bfs", "sudo find"):
        assert not approves(f"Bash({finder} *)", call("Bash", f"{finder} . {action}"))


def test_find_that_gets_unseen_arguments_is_asked() -> None:
    assert not approves(["Bash(find *)", "Bash(echo *)"], call("Bash", "echo -delete | xargs find ."))
    assert approves("Bash(find *)", call("Bash", "find . -name *.pyc -o -name '*.pyo'"))


@pytest.mark.parametrize(
    "command",
    [
        "ev''al 'rm x' --version",
        r"e\val 'rm x' --version",
        '"env" rm --version',
        "command 'eval' 'rm x' --version",
        'nohup "env" rm --version',
        "/usr/bin/env rm --version",
        "ENV rm --version",
        "=env rm --version",
        "xargs -n1 env rm --version",
        "timeout --foo 5 rm --version",
        "time LD_PRELOAD=./x git --version",
        "time -p PATH=. git --version",
        "git 'a --version'x\\ --version",
    ],
)
def test_what_runs_something_else_is_asked_however_it_is_written(command: str) -> None:
    assert not approves("Bash(* --version)", call("Bash", command))


@pytest.mark.parametrize(
    "change",
    [
        *["export PATH=.", "export PATH", "declare -x GIT_EXTERNAL_DIFF=./x", "typeset PAGER=./x", "readonly PATH=."],
        *[
            "alias git=./x",
            "hash -p ./x git",
            "read PATH",
            "command export PATH=.",
            "enable -f ./x.so git",
            "local A=b",
        ],
    ],
)
def test_what_follows_in_a_changed_shell_is_asked(change: str) -> None:
    rules = [f"Bash({change.split()[0]} *)", f"Bash({change})", "Bash(git *)"]

    for command in (f"{change}; git diff", f"git log && {change} && git diff"):
        assert not approves(rules, call("Bash", command))
    assert approves(rules, call("Bash", f"git log && {change}"))
    assert approves(["Bash(export *)", "Bash(git *)"], call("Bash", "export CI=1 LANG=C && git diff"))


def test_blank_inside_a_word_is_not_between_words() -> None:
    assert approves("Bash(git push * --dry-run)", call("Bash", "git push origin --dry-run"))
    for command in (r"git push origin\ --dry-run", r"git push a 'b'\ --dry-run", 'git push "x --dry-run"y\\ --dry-run'):
        assert not approves("Bash(git push * --dry-run)", call("Bash", command))


#: The pattern that was offered for a program, and calls of it that write elsewhere, run or send.
ASKED = [
    ("uniq", ["uniq a b", "uniq -- a b", "uniq -c a b", "uniq a -c b", "uniq -f 1 a b", "uniq *", "'uniq' a b"]),
    ("git diff", ["git diff --output=F", "git diff --outp=F", "git diff --output F", "git diff HEAD --output=F"]),
    ("git diff", ["git diff --ext-diff", "git diff --ext", "git diff '--output=F'", r"git diff --out\put=F"]),
    ("git diff", ["git diff -- a --output=F", "nohup git diff --output=F", "command git diff --ext-diff"]),
    ("git diff", ["git diff -[-]output=F", "git diff *", "xargs git diff", "git diff -p --output=F", "git diff -w? x"]),
    (
        "git log",
        ["git log --output=F", "git log -p --ext-diff", "git log --oneline --outpu=F", "git log --show-signature"],
    ),
    ("git log", ["git log -n 5 --output F", "git log -S --output=F", "git log --format --output=F"]),
    ("git show", ["git show --output=F HEAD", "git show HEAD --ext-diff"]),
    ("git cat-file", ["git cat-file --textconv HEAD:a", "git cat-file --filters HEAD:a", "git cat-file --text HEAD:a"]),
    ("git commit", ["git commit -S", "git commit --gpg-sign=x -m a", "git commit -qS -m a", "git commit --edit -F a"]),
    ("git shortlog", ["git shortlog --output=F"]),
    ("uniq", ["uniq a{1,2}", "uniq a@{1,2}", "uniq a@{1..2}", "uniq HEAD@{-,}b"]),
    # Their letters are read one by one: what follows in the same word is no value.
    ("tree", ["tree -Lo 2 F", "tree -PIo a b F", "tree -Tox t F", "tree -aL1o F"]),
    ("npm run x", ["npm run x -gC /evil", "npm run x -wC /evil", "npm run x -sgC /evil", "npm run x -tC=/evil"]),
    ("pnpm run x", ["pnpm run x -gC /evil", "pnpm run x -wC=/evil"]),
    ("jq", ["jq -fi x a", "jq -Li . a", "jq -nfi x a"]),
    # zsh computes what printf takes for a number, commands in it as well.
    ("printf", ["printf %d 'path[$(x)]'", "printf '%*s' 'path[`x`]' a", "printf '%.*f' \"path[\\$(x)]\" 1"]),
    ("cargo fmt", ["cargo fmt -- /evil/x.rs", "cargo fmt -- --check ../x.rs"]),
    ("tree", ["tree -o F", "tree -no F", "tree -oF", "tree -a -L 2 -o F", "tree -R -L 1 -H .", "tree --output=F"]),
    ("date", ["date -s 10:00", "date --set=10:00", "date --se=10:00", "date -us 10:00", "date 01011200"]),
    ("hostname", ["hostname evil", "hostname -F f", "hostname -- evil", "hostname -b evil"]),
    ("file", ["file -C -m x", "file -bC", "file --compile", "file --comp", "file -z a", "file --magic-file=x a"]),
    ("printf", ["printf -v PATH x", "printf -vPATH x", "command printf -v PATH x", "builtin printf -v PATH x"]),
    ("diff", ["diff -l a b", "diff --paginate a b", "diff --pag a b", "diff -ul a b"]),
    ("grep", ["grep --filter='*:x' a", "grep --pager=x a b", "grep -n --save-config=F a", "grep --filt=x a"]),
    ("jq", ["jq -i . a", "jq --in-place . a"]),
    (
        "npm view",
        ["npm view x --registry=http://h", "npm view x --reg http://h", "npm view http://h/x", "npm view a/b"],
    ),
    ("npm view", ["npm view x --userconfig=F", "npm view git+ssh://h/x", "npm view x@http://h/y", "npm view ./x"]),
    ("npm ls", ["npm ls --git=./x", "npm ls --logs-dir=F", "npm ls --prefix /evil", "npm ls --node-options=x"]),
    ("npm run x", ["npm run x --script-shell=./e", "npm run x --script-s ./e", "npm run x --node-options=-r./e"]),
    ("npm run x", ["npm run x -- --config=./e.js", "npm run x -- -c e.js", "npm run x --prefix /evil -- --watch"]),
    ("bun run x", ["bun run x --preload ./e", "bun run x --outfile=F"]),
    ("kubectl get", ["kubectl get pods --kubeconfig=F", "kubectl get --kubeconf F pods", "kubectl get -f http://h/x"]),
    ("kubectl get", ["kubectl get --raw /x", "kubectl get pods -s http://h", "kubectl get pods --server=http://h"]),
    ("kubectl get", ["kubectl get -Af x", "kubectl get pods --cache-dir=F", "kubectl get pods --token=x"]),
    ("kubectl logs", ["kubectl logs p --kubeconfig F", "kubectl logs p --profile-output=F"]),
    ("pip list", ["pip list --outdated --index-url=http://h", "pip list -o -i http://h", "pip list -oi http://h"]),
    (
        "pip list",
        ["pip list --log=F", "pip list --python=./e", "pip list --find-links=http://h", "pip list --pyth ./e"],
    ),
    ("pip show", ["pip show x --log F", "pip show --python ./e x"]),
    ("cargo fmt", ["cargo fmt --manifest-path /evil", "cargo fmt -- --config-path /evil", "cargo fmt -- --emit files"]),
    ("cargo tree", ["cargo tree --config build.rustc='./e'", "cargo tree --manifest-path=x", "cargo tree -Zx"]),
    ("go fmt", ["go fmt -mod=mod ./...", "go fmt -C /evil", "go fmt -modfile=x"]),
    ("go doc", ["go doc -http", "go doc -C /evil", "go doc evil.example/x@latest"]),
    ("docker ps", ["docker ps --host=tcp://h", "docker ps -H tcp://h", "docker ps --config=F"]),
    ("brew info", ["brew info ./evil.rb", "brew info evil.rb", "brew info evil/tap/x", "brew info --github x"]),
    ("brew search", ["brew search --debian x"]),
]


@pytest.mark.parametrize(("offered", "commands"), ASKED)
def test_option_that_writes_runs_or_sends_is_asked_unless_the_rule_names_it(offered: str, commands: list[str]) -> None:
    for command in commands:
        assert not approves(f"Bash({offered} *)", call("Bash", command)), command
        assert not approves("Bash(* *)", call("Bash", command)), command
        assert approves(f"Bash({command})".replace("*", r"\*"), call("Bash", command)), command
        assert not any(offer.endswith(" *)") for offer in suggest(call("Bash", command), resolve=unlinked)), command


@pytest.mark.parametrize(
    "command",
    [
        *["git -c core.pager=./x diff", "git -C /evil diff", "git --git-dir=/evil diff", "git --exec-path=/evil diff"],
        *["git --config-env=core.pager=X log", "git -p log", "git --work-tree /evil status", "git '-c' a=b status"],
        *["git --no-pager -c a=b push", "git --git-dir /evil/.git push", "timeout 5 git -C /evil diff"],
        *["docker -H tcp://h ps", "kubectl --kubeconfig F get pods", "npm --registry=http://h view x"],
        *["pip --log=F list", "cargo --config x tree", "go -C /evil fmt", "npm --prefix /evil run x"],
        *["GIT_EXTERNAL_DIFF=./x git diff", "PAGER=./x git log", "LD_PRELOAD=./x git diff", "time PAGER=./x git log"],
        *["npm --script-shell=./x run test", "git --paginate --no-pager log", "/usr/bin/git -C /evil diff"],
        # To zsh these two are numbers, which it computes.
        *["COLUMNS='path[$(x)]' ls", "LINES='path[`x`]' ls", "CI='$(x)' ls", "COLUMNS=path[1] ls", "LINES=a*b ls"],
        *["git --no-pager diff --output=x", "git -P log --ext-diff", "pnpm --filter web run x --config=./e"],
    ],
)
def test_option_before_the_subcommand_is_asked(command: str) -> None:
    program = command.split()[0]
    for pattern in (f"Bash({program} *)", "Bash(git *)", "Bash(*git* *)", "Bash(* *)", f"Bash({program}:*)"):
        assert not approves(pattern, call("Bash", command))


@pytest.mark.parametrize(
    ("pattern", "command", "approved"),
    [
        ("git diff --output=*", "git diff --output=F", True),
        ("git diff --output *", "git diff --output F", True),
        ("git diff * --output=out.txt", "git diff HEAD --output=out.txt", True),
        ("git diff --output=out.txt *", "git diff --output=out.txt --output=F", False),
        ("git diff --output=*", "git diff --output=F --ext-diff", False),
        ("git diff --*", "git diff --output=F", False),
        ("git diff --o*", "git diff --output=F", False),
        ("git -C *", "git -C /x status", True),
        ("git -C * diff *", "git -C /x diff --output=F", False),
        ("git -c core.pager=cat *", "git -c core.pager=cat log", True),
        ("git -c *", "git -c a=b -C /x log", False),
        ("tree -o *", "tree -o F", True),
        ("tree -o *", "tree -o F -no G", False),
        ("tree -no *", "tree -no F", True),
        ("npm run x -- --config=a.js *", "npm run x -- --config=a.js", True),
        ("npm run x -- --config=a.js *", "npm run x -- --config=b.js", False),
        ("uniq a b *", "uniq a b", True),
        ("uniq a *", "uniq a b", False),
        ("rm *", "rm -rf x", True),
        ("git push *", "git push --force origin main", True),
        ("git *", "git push --force origin main", True),
        ("git checkout *", "git checkout -b x --weird", True),
        ("npm test *", "npm test --weird", True),
        ("docker *", "docker run --rm -v /:/x y", True),
        ("curl *", "curl -o F http://h", True),
        ("sort *", "sort -o F a", True),
    ],
)
def test_rule_that_names_the_option_or_another_program_goes_on(pattern: str, command: str, approved: bool) -> None:
    assert approves(f"Bash({pattern})", call("Bash", command)) is approved


HARMLESS_CALLS = [
    *[
        "git diff --stat HEAD~1",
        "git diff --cached -U5 -- src/*.py",
        "git diff -M90% --name-only a..b",
        "git diff -w -p",
    ],
    *["git log --oneline -20 --graph --all", "git log -S'x y' -p -- a.py", "git log --since='2 days ago' --format=%h"],
    *["git show HEAD:a.py", "git show --stat --no-color HEAD", "git status -sb", "git status --porcelain=v2"],
    *["git --no-pager log -5", "git commit -am 'x'", "git commit --amend --no-edit", "git commit -m '- a list' -m 'b'"],
    *["git add -A", "git add -- *.py", "git add *.py", "git blame -L 1,5 a.py", "git rev-parse --abbrev-ref HEAD"],
    *["git ls-files -o --exclude-standard", "git describe --tags --always", "git rev-list --count HEAD"],
    *["ls -la --color=auto *.py", "cat -n a b", "head -n 5 *.log", "tail -f x", "wc -l *", "du -sh *", "mkdir -p a/b"],
    *["touch a b", "echo -n x", "printf '%s\\n' a", "grep -rn --include=*.py x src", "grep -E 'a|b' -A 3 *.txt"],
    *["grep -- '->x' a", "grep -e --output a", "uniq -c a", "uniq -f 1 a", "diff -ru a b", "jq -r '.a[]' x.json"],
    *[
        "tree -L 2 -a -I node_modules",
        "date +%F",
        "date -u",
        "date -d yesterday +%F",
        "hostname -f",
        "file -b --mime x",
    ],
    *[
        "npm ls --depth=0",
        "npm view react versions --json",
        "npm view @a/b@^1.2 dist",
        "npm run x",
        "npm run x -- a.js",
    ],
    *["tree -L2 -aI x", "tree -PI a b"],
    *["npm run x -- -t name -w2", "jq -rf x.jq a.json", "jq -nr .a", "git show x@{1}"],
    *["printf '%d $%s' 5 \\$x", "printf %s '[a]' '$5'", "cargo fmt -p x", "git log @{u}..", "git diff x@{yesterday}"],
    *["npm run test -- --watch", "yarn run x --coverage", "pip list --outdated --format=json", "pip show -f x"],
    *["kubectl get pods -n a -o wide -w", "kubectl logs -f p --tail=5", "kubectl describe pod x", "docker ps -aq"],
    *["docker logs -f --tail 5 x", "cargo fmt --all -- --check", "cargo tree -i x", "go fmt ./...", "go doc -all fmt"],
    *["brew info python@3.12", "brew list --versions", "stat -c %s a", "ps aux", "which -a x", "cd -"],
]


@pytest.mark.parametrize("command", HARMLESS_CALLS)
def test_call_with_harmless_options_is_approved_as_before(command: str) -> None:
    words = command.replace("git --no-pager", "git").split()
    count = (
        3
        if (words[0], words[1]) in SCRIPTS
        else 2
        if any(key[:1] == (words[0],) and key[1:] for key in HARMLESS)
        else 1
    )
    pattern = f"Bash({' '.join(words[:count])} *)" if "--no-pager" not in command else "Bash(git *)"

    assert approves(pattern, call("Bash", command))


@pytest.mark.parametrize("command", ["git commit -m '- a list'", "uniq -c a", "git diff --stat", "npm run x -- a.js"])
def test_program_is_offered_with_every_harmless_option(command: str) -> None:
    assert len(suggest(call("Bash", command), resolve=unlinked)) == 2


def test_person_is_told_which_option_the_rule_does_not_name() -> None:
    found = explain([rule("Bash(git diff *)")], call("Bash", "git diff --output=F"), resolve=unlinked)

    assert found.judged[0].why == (
        "It does not approve “git diff --output=F”, for it does not name “--output=F”, which may write, run or send"
        " something."
    )


@pytest.mark.parametrize(
    ("pattern", "narrowed"),
    [
        ("git diff *", True),
        ("git *", True),
        ("uniq *", True),
        ("* --version", True),
        ("npm run x *", True),
        ("git diff", False),
        ("git push *", False),
        ("ls *", False),
        ("rm *", False),
        ("npm test *", False),
    ],
)
def test_rules_that_are_narrowed_are_known(pattern: str, narrowed: bool) -> None:
    assert narrows(text_glob(pattern, ends_word=True)) is narrowed


# Files that tell programs what to do

DELICATE = [
    *[".git/hooks/pre-commit", ".git/config", ".claude/settings.json", ".mcp.json", "a/.git/config", ".GIT/config"],
    *[
        "./.git/../.git/x",
        "src/../.claude/agents/x.md",
        ".vscode/tasks.json",
        ".husky/x",
        ".envrc",
        ".npmrc",
        "x.git/hooks/y",
    ],
    *[".hg/hgrc", ".jj/repo/config.toml", ".local/bin/git", ".config/nvim/init.lua", ".kube/config", ".aws/config"],
    *["mise.toml", ".curlrc", ".gdbinit", ".dir-locals.el", "Library/LaunchAgents/x.plist", "git~1/config"],
    *[".config/git/config", ".gi\u200ct/config", ".git", ".github/workflows/x.yml", ".Claude/settings.local.json"],
]


@pytest.mark.parametrize("path", DELICATE)
def test_file_that_tells_programs_what_to_do_is_asked(path: str) -> None:
    absolute = f"{FOLDER}/{path}"
    for pattern in (
        "Edit(./**)",
        "Edit(**)",
        "Edit(/**)",
        f"Edit(/{FOLDER}/**)",
        "Edit(*)",
        "Edit",
        "Write*",
        "Edit(.*/**)",
    ):
        for tool in ("Edit", "Write", "MultiEdit", "NotebookEdit"):
            assert not approves([pattern, "Write(**)", "Write"], call(tool, path)), (pattern, tool)
            assert not approves(pattern, call(tool, absolute)), (pattern, tool)
        if path.isascii():
            assert not approves([pattern, "Bash(ls *)", "Write(**)"], call("Bash", f"ls > {path}"))
            assert not approves([pattern, "Bash(ls *)"], call("Bash", f"ls 2>> {absolute}"))
    assert approves("*", call("Edit", path))


@pytest.mark.parametrize(
    ("pattern", "path", "approved"),
    [
        ("Edit(.git/**)", ".git/config", True),
        ("Edit(.git/**)", ".git/.claude/x", False),
        ("Edit(.git/config)", ".git/config", True),
        ("Edit(.mcp.json)", "web/.mcp.json", True),
        ("Edit(**/.claude/**)", "web/.claude/x", True),
        ("Edit(.[g]it/**)", ".git/config", False),
        ("Edit(./**)", ".gitignore", True),
        ("Edit(./**)", "src/git/config", True),
        ("Read(./**)", ".git/config", None),
    ],
)
def test_rule_that_names_the_folder_approves(pattern: str, path: str, approved: bool | None) -> None:
    tool = "Edit" if approved is not None else "Read"

    assert approves(pattern, call(tool, path)) is (approved is not False)


def test_session_in_such_a_folder_goes_on() -> None:
    folder = "/home/ada/project/.claude/worktrees/x"

    assert approves("Edit(./**)", call("Edit", "src/a.py", folder=folder))
    assert approves("Edit", call("Edit", f"{folder}/src/a.py", folder=folder))
    assert not approves("Edit", call("Edit", f"{folder}/.git/config", folder=folder))


def test_link_to_such_a_folder_is_asked() -> None:
    def linked(path: str) -> str:
        return path.replace(f"{FOLDER}/hooks", f"{FOLDER}/.git/hooks")

    found = explain([rule("Edit(./**)")], call("Edit", "hooks/pre-commit"), resolve=linked)

    assert found.verdict is None


def test_every_program_of_the_table_is_told_apart() -> None:
    for key, options in HARMLESS.items():
        assert verdict([rule(f"Bash({' '.join(key)} *)")], call("Bash", " ".join(key))) == "approve"
        assert options.every or verdict([rule(f"Bash({key[0]} *)")], call("Bash", f"{' '.join(key)} --made-up")) is None
