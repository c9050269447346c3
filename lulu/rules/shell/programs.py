"""Lists of programs: those that run others, and those that write. ``harmless`` has the suggested ones."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that begin or join compound commands, some of them zsh's. A command may follow each.
KEYWORDS = _names(
    "! [[ { } case coproc do done elif else esac fi for foreach function if in nocorrect repeat select then until while"
)
#: Builtins that set variables by their arguments.
DECLARING = _names("declare export local readonly typeset")

#: Builtins that change later commands, by variables or by names.
CHANGING_SHELL = DECLARING | _names("alias enable getopts hash mapfile read readarray")
#: Builtins that may compute their arguments, with commands in an index; printf does in zsh.
COMPUTING = DECLARING | _names("[ let mapfile printf read test unset")

#: Wrappers that Claude Code follows.
WRAPPERS = _names("builtin command nice noglob nohup stdbuf time timeout xargs")
#: Builtins that change the folder of later commands.
CHANGING_FOLDER = _names("cd chdir popd pushd")
#: Programs that find files, and run others on them.
FINDERS = _names("bfs find gfind")
#: To deny: programs that run their arguments, or a text in them, as a command.
RUNNERS = WRAPPERS | _names(
    "arch ash at bash batch bunx busybox bwrap caffeinate chroot chronic chrt concurrently cpulimit csh dash"
    " dbus-run-session devbox direnv doas entr env eval exec fakeroot faketime find firejail fish flock genv gnice"
    " gnohup gosu gstdbuf gtime gtimeout gxargs hash hyperfine ionice ksh linux32 linux64 ltrace mise mksh nix-shell"
    " nocorrect npx nsenter numactl parallel pipenv pkexec pnpx poetry prlimit proot proxychains proxychains4 rlwrap"
    " run0 runuser screen script sem setarch setpriv setsid sh ssh sshpass start-stop-daemon strace su su-exec sudo"
    " systemd-run taskset tcsh tmux torsocks toybox trap unbuffer unshare uv uvx valgrind watch watchexec xvfb-run zsh"
    # Terminals, other shells, and rare wrappers; for zsh, `- rm` is `rm`.
    " - alacritty catchsegv cgexec eatmydata elvish expect fakechroot foot gnome-terminal kitty konsole ld.so"
    " ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 nu osh pwsh rbash sg socat ts tsp urxvt wezterm xonsh xterm yash"
)
#: To deny: programs that run others if one of these words is among their arguments.
RUNNERS_WITH = {
    "bun": _names("exec x"),
    "bundle": _names("exec"),
    "conda": _names("run"),
    "docker": _names("exec run"),
    "fd": _names("-x -X --exec --exec-batch"),
    "fdfind": _names("-x -X --exec --exec-batch"),
    "git": _names("bisect difftool filter-branch foreach rebase"),
    "kubectl": _names("exec"),
    "nix": _names("develop run shell"),
    "npm": _names("exec x"),
    "pnpm": _names("dlx exec"),
    "perf": _names("record stat trace"),
    "podman": _names("exec run"),
    "rustup": _names("run"),
    "yarn": _names("dlx exec"),
}
#: To deny: programs that run their input, or the content of a file that they are given.
SHELLS = _names(
    ". ash at bash batch csh dash elvish fish ksh mksh nu osh parallel pwsh rbash sh source ssh tcsh xargs xonsh yash"
    " zsh"
)
#: To deny: options whose value is run. Most longer ones have it in their names.
RUN_OPTIONS = {
    "compgen": "-C",
    "complete": "-C",
    "ex": "-c",
    "gdb": "-ex",
    "git": "-c",
    "man": "-P",
    "mapfile": "-C",
    "nvim": "-c",
    "readarray": "-C",
    "rsync": "-e",
    "scp": "-o",
    "split": "--filter",
    "ssh": "-o",
    "tar": "-I",
    "vi": "-c",
    "vim": "-c",
}
#: To deny: programs that change the files that they are given.
WRITERS = _names(
    "bunzip2 bzip2 chattr chgrp chmod chown cp csplit dd dos2unix ed emacs ex gunzip gzip install ln mkdir mkfifo"
    " mknod mktemp mv nano patch rm rmdir rsync script sed shred split sponge tar tee touch truncate unix2dos unlink"
    " unxz unzip unzstd vi vim wget xz zstd"
)

#: To approve: programs that run their arguments. Claude Code approves only exact commands of them ("such as watch,
#: setsid, ionice and flock"); Lulu adds others that are as dangerous.
EXEC_WRAPPERS = _names(
    "busybox chroot env eval exec flock ionice nsenter parallel script setsid strace taskset unshare watch"
)
#: Arguments with which a finder does more than find.
FIND_ACTIONS = _names("-delete -exec -execdir -fls -fprint -fprint0 -fprintf -ok -okdir -rm")

#: To approve: variables that only change how a program prints, its language, or its mode.
SAFE_VARIABLES = _names(
    "CI CLICOLOR COLUMNS FORCE_COLOR GOARCH GOOS LANG LANGUAGE LC_ALL LC_CTYPE LINES NODE_ENV NO_COLOR"
    " PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED RUST_BACKTRACE RUST_LOG TZ"
)

#: Programs that run code that they are given, without the digits of their versions.
INTERPRETERS = _names(
    "ant awk bun cmake deno emacs expect gawk gdb gmake gradle groovy java jshell julia just lua luajit make mawk nawk"
    " ninja node nodejs osascript perl php pypy python rake ruby rscript sed sqlite task tclsh ts-node tsx vi vim nvim"
)
#: To approve: programs that run another program, or code. A rule has to name them.
RUNNING = (RUNNERS | SHELLS | INTERPRETERS | EXEC_WRAPPERS) - WRAPPERS - FINDERS
#: With one of these arguments alone, such a program only prints about itself.
SPEAKING = _names("--help --version -V -h help version")
