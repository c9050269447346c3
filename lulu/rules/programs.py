"""What Lulu knows of programs: which run others, which write, and which a person may approve with any arguments."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that begin or join compound commands; what follows one may be a command. Some are zsh's.
KEYWORDS = _names(
    "! [[ { } case coproc do done elif else esac fi for foreach function if in nocorrect repeat select then until while"
)
#: They set variables by their arguments.
DECLARING = _names("declare export local readonly typeset")

#: To deny: programs that run their arguments, or a text in them, as a command.
RUNNERS = _names(
    "ash bash builtin busybox chroot command csh dash devbox direnv doas env eval exec find fish flock ionice ksh"
    " ltrace mise nice nocorrect noglob nohup nsenter npx parallel pipenv poetry proot script setsid sh ssh sshpass"
    " stdbuf strace su sudo systemd-run taskset tcsh time timeout toybox trap unbuffer unshare uv uvx watch xargs zsh"
)
#: To deny: programs that run what comes to their input.
SHELLS = _names("ash bash csh dash fish ksh parallel sh ssh tcsh xargs zsh")
#: To deny: programs that change the files that they are given.
WRITERS = _names(
    "chgrp chmod chown cp dd ed emacs ex gunzip gzip install ln mkdir mv nano patch rm rmdir rsync sed shred sponge tar"
    " tee touch truncate unlink unzip vi vim"
)

#: To approve: programs that run their arguments, of which Claude Code approves exact commands only ("such as watch,
#: setsid, ionice and flock"); Lulu adds those that are no less of a blank cheque.
EXEC_WRAPPERS = _names(
    "busybox chroot env eval exec flock ionice nsenter parallel script setsid strace taskset unshare watch"
)
#: ``find`` with one of these does more than find.
FIND_ACTIONS = _names("-delete -exec -execdir -fls -fprint -fprint0 -fprintf -ok -okdir")

#: To approve: variables that change no program's behaviour beyond how it prints, which language it speaks, and which
#: of its modes it is in.
SAFE_VARIABLES = _names(
    "CI CLICOLOR COLUMNS FORCE_COLOR GOARCH GOOS LANG LANGUAGE LC_ALL LC_CTYPE LINES NODE_ENV NO_COLOR"
    " PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED RUST_BACKTRACE RUST_LOG TZ"
)

#: Offered with any arguments: none of them runs another program or other code that its arguments name, deletes or
#: overwrites files, or sends anything anywhere. Whoever wants more can type it.
OFFERED = _names(
    "basename cal cat cd cmp cut date df diff dirname du echo egrep fgrep file grep head hostname id jq ls md5sum mkdir"
    " nl printf ps pwd readlink realpath rev seq sha256sum shasum sleep stat strings tac tail touch tr tree true type"
    " uname uniq wc which whoami"
)
#: The same for programs whose first argument says what they do.
OFFERED_WITH = {
    "brew": _names("info list search"),
    "cargo": _names("fmt tree"),
    "docker": _names("images inspect logs ps"),
    "git": _names(
        "add blame cat-file commit describe diff log ls-files ls-tree merge-base rev-list rev-parse shortlog show"
        " status"
    ),
    "go": _names("doc fmt version"),
    "kubectl": _names("describe explain get logs version"),
    "npm": _names("ls outdated view"),
    "pip": _names("list show"),
}
#: Programs that run a script of the project by its name: offered for that one script.
OFFERED_SCRIPTS = {"bun": "run", "npm": "run", "pnpm": "run", "yarn": "run"}
