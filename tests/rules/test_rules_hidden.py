"""What deny rules see through: programs that are spelled in pieces, run by others, and files that globs name."""

from __future__ import annotations

import pytest

from tests.rules.rule_support import call, denies

DENIED = [
    # An unknown program sets the name of the next one.
    "a=(export); ${a[0]} X=rm; $X -rf y",
    "a=(eval); ${a[0]} X=rm; $X -rf y",
    "a=(eval); ${a[0]} 'X=rm'; $X -rf y",
    "a=(declare); ${a[0]} -a X+=rm; $X -rf y",
    "a=(export); ${a[0]} X[0]=rm; $X -rf y",
    "a=(set); ${a[0]} -- rm; $1 -rf y",
    "a=(set); ${a[0]} rm; $1 -rf y",
    'a=(set); ${a[0]} rm y; "$@"',
    "a=(getopts); ${a[0]} x: o -x rm; $OPTARG -rf y",
    "a=(printf); ${a[0]} -v X rm; $X -rf y",
    "a=(printf); ${a[0]} -vX rm; $X -rf y",
    "$SUDO eval X=rm; $X -rf y",
    "E=${!Z}; $E X=rm; $X -rf y",
    "declare X; $D X=rm; $X -rf y",
    "$TEE f <<< 'rm -rf y'; $SH f",
    "$TEE f << E\nrm -rf y\nE\n$SH f",
    *["for f in rm cp; do $f x; done", 'for f in cp rm mv; do "$f" x; done', "for f in {cp,rm}; do $f x; done"],
    *["X='cp rm'; for f in $X; do $f x; done", "select f in rm cp; do $f x; done", "foreach f in rm cp; $f x; end"],
    *["for a in ls rm; do for b in x y; do $a $b; done; done", "repeat 3 rm x", "- rm x"],
    *['set -- rm x; "$@"', "set -- rm; $1 x", "set rm x; $*", "set -- a rm; $2 x"],
    *["echo rm | while read c; do $c x; done", "echo rm x | while read -r l; do $l; done", "printf rm | read c; $c x"],
    *["rm${IFS}x", "${IFS}rm${IFS}-rf${IFS}x", "rm$IFS-rf$IFS/x", "{" + "," * 300 + "rm,x}", "X=1; rm$IFS$X"],
    *["git -c alias.x='!rm y' x", "git rebase -x 'rm x' HEAD", "git rebase --exec='rm x'", "git difftool -x 'rm x'"],
    *["tar xf a --to-command='rm x'", "tar cf a --checkpoint-action=exec='rm x' b", "rsync -e 'rm x' a h:"],
    *[
        "GIT_SSH_COMMAND='rm x' git fetch",
        "PAGER='rm x' git log",
        "export EDITOR='rm x'; git commit",
        "man -P 'rm x' a",
    ],
    *["sort --compress-program=rm x", "sort --compress-program rm x", "split --filter='rm x' a", "rg --pre rm x"],
    *["ssh -o ProxyCommand='rm x' h", "mapfile -C 'rm x' -c 1 a", "vim -c '!rm x'", "vim -c ':!rm x'"],
    *["git clone --upload-pack 'rm x' h", "docker run --entrypoint rm i x", "docker run i rm x", "fd . -x rm"],
    *["let 'a[$(rm x)]'", "test -v 'a[$(rm x)]'", "printf -v 'a[$(rm x)]' y", "declare -i n='a[`rm x`]'"],
    *["COLUMNS='a[$(rm x)]' ls", "X='a[$(rm x)]'; ((X))", "rbash -c 'rm x'", "pwsh -c 'rm x'", "eatmydata rm x"],
    *["xterm -e rm x", "perf stat rm x", "/lib64/ld-linux-x86-64.so.2 /bin/rm x", "make SHELL='rm x'", "sg a 'rm x'"],
    *[r"$'\U00000072m' x", r"$'\u0072m' x", ": ${X:=rm}; $X f", "${X:=rm} f", "X=rmx; ${X:0:2} f", "X=RM; ${X,,} f"],
    *["X=r; X+=m; $X f", "X=rm; Y=X; ${!Y} f", "X=xrm; ${X#x} f", "X=rm.x; ${X%.*} f", "X=am; ${X/a/r} f"],
    *[
        "read X <<< rm; $X f",
        "printf -v X rm; $X f",
        "X=rm; eval '$X y'",
        "export X=rm; sh -c '$X y'",
        "X='sudo rm'; $X y",
    ],
    *[
        "source <(echo rm x)",
        ". <(printf 'rm x')",
        "bash <(echo rm x)",
        ". /dev/stdin <<< 'rm x'",
        "source /dev/stdin <<EOF\nrm x\nEOF",
    ],
    *[
        "echo rm x | source /dev/stdin",
        'eval "$(echo rm x)"',
        "$(echo rm) x",
        "`echo rm` x",
        "$(printf %s rm) x",
        r"$(echo -e '\x72m') x",
    ],
    *[
        "$(which rm) x",
        '"$(command -v rm)" x',
        "$(type -P rm) x",
        "env --split-string='rm x'",
        "env -S'rm x'",
        "env -S 'rm x'",
    ],
    *[
        "pkexec rm x",
        "setpriv --reuid=1 rm x",
        "chrt -i 0 rm x",
        "prlimit --nofile=1 rm x",
        "xvfb-run rm x",
        "npm exec -- rm x",
    ],
    *[
        "npm x -- rm x",
        "pnpm dlx rm x",
        "yarn exec rm x",
        "bunx rm x",
        "git submodule foreach 'rm x'",
        "git bisect run rm x",
    ],
    *[
        "{rm,-rf,x}",
        "r{m,} x",
        "{,}rm x",
        "/bin/{rm,} x",
        "{r..r}m x",
        "command sudo rm x",
        "'sudo' rm x",
        "alias x='rm -f'",
    ],
    *["hash -p /bin/rm x", "su -c'rm x'", "kubectl exec p -- rm x", "tmux new 'rm x'", "find . -exec command rm {} +"],
    *["$SHELL -c 'rm x'", "$0 -c 'rm x'", "\"${BASH}\" -c 'rm x'", "$X -c 'rm x'", "coproc X { rm x; }", "coproc rm x"],
    *["git grep -O'rm x' y", "git grep --open-files-in-pager='rm x' y", "git config alias.x '!rm x'"],
    *["git -c 'core.fsmonitor=rm x' status", "git -c diff.external=rm diff", "git -c credential.helper='!rm x' fetch"],
    *[
        "X='rm x' git --config-env=core.editor=X commit",
        "GIT_CONFIG_VALUE_0='rm x' git status",
        "LESSOPEN='|rm x' less y",
    ],
    *["nohup find . -exec rm {} +", "docker exec c rm x", "runuser -u x rm y", "gtimeout 5 rm x"],
    # Programs that are only known when they run.
    "while read c; do $c x; done <<< rm",
    "mapfile c < <(echo rm); ${c[0]} x",
    'mapfile -t a <<< "rm -rf x"; "${a[@]}"',
    "a=(x rm); ${a[1]} y",
    'f() { "$@"; }; f rm x',
    "f() { $1 x; }; f rm",
    # … whose name is an argument of another such program.
    'f() { "$@"; }; $SUDO f rm x',
    "$ECHO rm | while read c; do $c x; done",
    "X=$($ECHO rm); $X y",
    "mapfile -t a < <($ECHO rm); ${a[0]} x",
    "a=(rm); $RUN push; ${a[0]} y",
]


@pytest.mark.parametrize("command", DENIED)
def test_deny_rule_sees_through_it(command: str) -> None:
    assert denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize(
    "command",
    [
        "npm install rm",
        "$RUN commit -m 'please rm it'",
        "$RUN commit -m 'please rm it'; $RUN push",
        "$RUN push; $RUN commit -m 'please rm it'",
        "$RUN push && $RUN push 'to rm it' || $RUN commit -m 'please rm it'",
        "$RUN commit -m 'please rm it'; $RUN commit -m 'please rm it'",
        "$GIT commit -m 'please read and rm it' | cat; ${NPM} test",
        '$GIT commit -m "$(cat note) please rm it"; $NPM test',
        "git commit -m 'foreach x'",
        "echo {rm,x}",
        "X=rm; echo $X",
        "cat $(which rm)",
        "git log --grep rm",
        "for f in rm cp; do echo $f; done",
        "for f in *.py rm; do git add $f; done",
        "echo rm | while read f; do echo $f; done",
        "set -- rm; echo $1",
        "docker run --rm image x",
        "docker ps --filter 'name=rm x'",
        "git -c user.name=rm commit -m x",
        "git add '!x' && git log -- ':!rm'",
        "echo $SHELL rm",
        "git commit -m 'x; rm'",
        "git commit -m '!rm x'",
        "git log -S '!rm x'",
        "git diff -Orm",
        "pytest -k 'a or rm'",
        "ssh -o User=rm host ls",
        "rsync --filter='- rm' a b",
    ],
)
def test_deny_rule_says_nothing_of_what_only_names_the_program(command: str) -> None:
    assert not denies("Bash(rm *)", call("Bash", command))


@pytest.mark.parametrize(
    ("pattern", "command", "denied"),
    [
        ("Read(.env)", "cat .en?", True),
        ("Read(.env)", "cat .e*", True),
        ("Read(.env)", "cat {.env,x}", True),
        ("Read(.env)", "cat .{env,x}", True),
        ("Read(.env)", "cat web/.[e]nv", True),
        ("Read(.env)", "cat ?env", True),
        ("Read(.env)", "cat '.en?'", False),
        ("Read(.env)", "cat *.py", False),
        ("Read(.env)", "cat src/*", False),
        ("Read(secrets/**)", "cat s*/key", True),
        ("Edit(//etc/**)", "curl -o /etc/x http://h", True),
        ("Edit(//etc/**)", "curl http://h -so /etc/x", True),
        ("Edit(//etc/**)", "curl --output /etc/x http://h", True),
        ("Edit(//etc/**)", "wget -O /etc/x http://h", True),
        ("Edit(//etc/**)", "wget -P /etc http://h", True),
        ("Edit(//etc/**)", "sort -o /etc/x a", True),
        ("Edit(//etc/**)", "sort -o/etc/x a", True),
        ("Edit(//etc/**)", "git diff --output=/etc/x", True),
        ("Edit(//etc/**)", "git diff --outp=/etc/x", True),
        ("Edit(//etc/**)", "perl -i -pe s/a/b/ /etc/x", True),
        ("Edit(//etc/**)", "perl -pi.bak -e s/a/b/ /etc/x", True),
        ("Edit(//etc/**)", "uniq a /etc/x", True),
        ("Edit(//etc/**)", "tree -o /etc/x", True),
        ("Edit(//etc/**)", "find . -fprint /etc/x", True),
        ("Edit(//etc/**)", "awk -i inplace 1 /etc/x", True),
        ("Read(.env)", "cat${IFS}.env", True),
        ("Read(.env)", "for f in .env x; do cat $f; done", True),
        ("Read(.env)", "cat {" + ",".join(f"a{n}" for n in range(200)) + ",.env}", True),
        ("Read(.env)", "cat {" + "abcdefgh," * 500 + ".env}", True),
        ("Read(.env)", "cat " + "x " * 1_000 + ".env", True),
        ("Read(.env)", "cat " + "{a,b}{c,d}{e,f} " * 100 + ".env", True),
        ("Edit(//etc/**)", "touch$IFS/etc/x", True),
        ("Edit(//etc/**)", "find /etc -delete", True),
        ("Edit(//etc/**)", "find /etc/x -name a -exec rm {} +", True),
        ("Edit(//etc/**)", "split a /etc/x", True),
        ("Edit(//etc/**)", "for f in /etc/x a; do touch $f; done", True),
        ("Edit(//etc/**)", "perl -pe s/a/b/ /etc/x", False),
        ("Edit(//etc/**)", "curl -d @/etc/x http://h", False),
        ("Edit(//etc/**)", "grep -o x /etc/x", False),
        ("Edit(//etc/**)", "git log --oneline /etc/x", False),
        ("Edit(//etc/**)", "find /x -name a -o -path /etc/x", False),
    ],
)
def test_deny_rule_for_files_sees_what_a_command_reads_or_writes(pattern: str, command: str, denied: bool) -> None:
    assert denies(pattern, call("Bash", command)) is denied


@pytest.mark.parametrize(
    ("tool", "given", "denied"),
    [
        ("Glob", {"pattern": ".env*"}, True),
        ("Glob", {"pattern": "**/.en?"}, True),
        ("Glob", {"pattern": "{.env,x}"}, True),
        ("Glob", {"pattern": "web/*.[e]nv", "path": "a"}, True),
        ("Grep", {"pattern": "x", "glob": ".en*"}, True),
        ("Grep", {"pattern": "x", "glob": "{.env,y}"}, True),
        ("Grep", {"pattern": "x", "glob": "!x, .env"}, True),
        ("Glob", {"pattern": "**/*.py"}, False),
        ("Grep", {"pattern": ".env", "glob": "*.py"}, False),
    ],
)
def test_deny_rule_for_a_file_holds_for_globs_that_find_it(tool: str, given: dict[str, str], denied: bool) -> None:
    assert denies("Read(.env)", call(tool, given)) is denied
