"""Folders and files that control programs: writing them needs a rule that names them.

Claude Code protects most of them, too (https://code.claude.com/docs/en/permission-modes, "protected paths").
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FOLDERS = _names(
    ".git git~1 .hg .jj .svn .claude .vscode .idea .cursor .zed .husky .githooks .cargo .devcontainer .direnv .yarn"
    " .mvn .m2 .gradle .github .circleci .ssh .gnupg .aws .kube .vim .emacs.d launchagents launchdaemons"
)
FILES = _names(
    ".gitconfig .gitmodules .gitattributes .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc"
    " .zprofile .zshenv .zlogin .zlogout .envrc .ripgreprc .mcp.json .claude.json .npmrc .yarnrc .yarnrc.yml .pnp.cjs"
    " .pnp.loader.mjs .pnpmfile.cjs .pypirc .netrc .pre-commit-config.yaml lefthook.yml .lefthook.yml bunfig.toml"
    " .bazelrc .bazeliskrc .gitlab-ci.yml .vimrc .exrc .emacs .dir-locals.el .tool-versions mise.toml .mise.toml .hgrc"
    " .curlrc .wgetrc .inputrc .tmux.conf .screenrc .gdbinit .lldbinit .condarc .gemrc .irbrc .pryrc .login .cshrc"
    " .tcshrc .kshrc .xprofile .xinitrc"
)
#: Sensitive names inside a folder: settings of programs, and programs.
_INSIDE = {".config": _names("autostart direnv fish git mise nvim pip systemd zsh"), ".local": _names("bin")}


def delicate(parts: Iterable[str]) -> frozenset[str]:
    """Return the sensitive names among the parts of a path, in lower case."""
    names = [folded(part) for part in parts]
    found = {name for name in names if name in FOLDERS or name in FILES or name.endswith(".git")}
    found |= {name for before, name in itertools.pairwise(names) if name in _INSIDE.get(before, ())}
    return frozenset(found)


def folded(name: str) -> str:
    """Return a name as a file system reads it that ignores case and invisible characters."""
    visible = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFKC", visible).casefold()
