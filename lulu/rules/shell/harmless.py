"""The table behind "don't ask again": programs that are suggested, with their harmless options.

In ``letters`` a colon follows an option whose value may be the next word. Two colons follow one whose value is part of
its word, as for ``getopt``. In the words, ``=`` marks one whose value may be the next word. Sources: the programs' own
manuals, and ``git … --git-completion-helper-all``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Harmless:
    """The arguments of a program that add no risk to what it is suggested for."""

    #: Whether all arguments are harmless.
    every: bool = False
    #: Options of one letter: empty, ``:`` or ``::`` for their value.
    letters: dict[str, str] = field(default_factory=dict)
    #: Whether a letter's value is always the next word, so that letters follow in the same word.
    apart: bool = False
    #: Long options, with their dashes.
    words: frozenset[str] = frozenset()
    #: Long options whose value may be the next word.
    valued: frozenset[str] = frozenset()
    #: Most operands; the program writes to a further one.
    operands: int | None = None
    #: Pattern for a harmless operand.
    operand: re.Pattern[str] | None = None
    #: Whether unseen arguments (from ``xargs`` or a glob) are harmless, too. An option that is missing here then
    #: belongs to another program of the same name.
    unseen: bool = False


def _options(
    letters: str = "",
    words: str = "",
    *,
    operands: int | None = None,
    operand: str | None = None,
    unseen: bool = False,
    apart: bool = False,
) -> Harmless:
    named = words.split()
    return Harmless(
        letters=dict(re.findall(r"([^:])(:{0,2})", letters)),
        words=frozenset(word.rstrip("=") for word in named) | {"--help"},
        valued=frozenset(word[:-1] for word in named if word.endswith("=")),
        operands=operands,
        operand=re.compile(operand) if operand else None,
        unseen=unseen,
        apart=apart,
    )


_ALL_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: GNU's and BSD's grep. Another program of this name (ugrep) runs the value of ``--filter``.
_GREP = _options(
    "EFGPivwxcLloqsm:bHhnTZaA:B:C:D:d:rRIUzuyVe:f:OpS0123456789",
    "--extended-regexp --fixed-strings --basic-regexp --perl-regexp --regexp= --file= --ignore-case --invert-match"
    " --word-regexp --line-regexp --count --color --colour --files-without-match --files-with-matches --max-count="
    " --only-matching --quiet --silent --no-messages --byte-offset --with-filename --no-filename --label= --line-number"
    " --initial-tab --null --after-context= --before-context= --context= --group-separator= --text --binary-files="
    " --devices= --directories= --exclude= --exclude-from= --exclude-dir= --include= --include-dir= --recursive"
    " --dereference-recursive --line-buffered --binary --null-data --unix-byte-offsets --version --hidden --glob="
    " --iglob=",
    unseen=True,
)

_DIFF_LETTERS = "pusU::zwbaWRM::B::C::D::l:S:G:O:X::qn:L:iEFPgcmtrh0123456789"
_DIFF_WORDS = (
    " --patch --unified --function-context --raw --patch-with-raw --patch-with-stat --numstat --shortstat --dirstat"
    " --cumulative --dirstat-by-file --check --summary --name-only --name-status --stat --stat-width --stat-name-width"
    " --stat-graph-width --stat-count --compact-summary --binary --full-index --color --ws-error-highlight --abbrev"
    " --src-prefix --dst-prefix --line-prefix --no-prefix --default-prefix --inter-hunk-context --output-indicator-new"
    " --output-indicator-old --output-indicator-context --break-rewrites --find-renames --irreversible-delete"
    " --find-copies --find-copies-harder --no-renames --rename-empty --follow --minimal --ignore-all-space"
    " --ignore-space-change --ignore-space-at-eol --ignore-cr-at-eol --ignore-blank-lines --ignore-matching-lines"
    " --indent-heuristic --patience --histogram --diff-algorithm --anchored --word-diff --word-diff-regex --color-words"
    " --color-moved --color-moved-ws --relative --text --exit-code --quiet --no-ext-diff --textconv --ignore-submodules"
    " --submodule --ita-invisible-in-index --ita-visible-in-index --pickaxe-all --pickaxe-regex --rotate-to --skip-to"
    " --find-object --diff-filter"
)
_LOG_WORDS = (
    " --source --use-mailmap --mailmap --clear-decorations --decorate-refs --decorate-refs-exclude --decorate"
    " --max-count --skip --since --after --until --before --since-as-filter --author --committer --grep --grep-reflog"
    " --all-match --invert-grep --regexp-ignore-case --basic-regexp --extended-regexp --fixed-strings --perl-regexp"
    " --remove-empty --merges --min-parents --max-parents --first-parent --exclude-first-parent-only --not --all"
    " --branches --tags --remotes --glob --exclude --exclude-hidden --reflog --alternate-refs --single-worktree"
    " --ignore-missing --stdin --cherry-mark --cherry-pick --left-only --right-only --cherry --walk-reflogs --merge"
    " --boundary --simplify-by-decoration --show-pulls --full-history --dense --sparse --simplify-merges"
    " --ancestry-path --date-order --author-date-order --topo-order --reverse --no-walk --do-walk --pretty --format"
    " --abbrev-commit --oneline --encoding --expand-tabs --notes --show-notes --standard-notes --relative-date --date"
    " --parents --children --left-right --graph --show-linear-break --count --diff-merges --remerge-diff --cc"
    " --combined-all-paths --log-size --bisect --bisect-vars --bisect-all --objects --objects-edge --in-commit-order"
    " --unpacked --header --timestamp --use-bitmap-index --filter --disk-usage --missing --max-age --min-age --root"
    " --quiet --no-graph --abbrev"
)
_LOG = _options(_DIFF_LETTERS, _DIFF_WORDS + _LOG_WORDS)

_PLAIN_KUBECTL = "--namespace= --selector= --all-namespaces --output= --request-timeout= --show-labels --chunk-size="

#: Options of the runner. A script's own options are unknown, so a person is asked.
_SCRIPT = _options(
    "suqvit:g:w:d0123456789",
    "--silent --quiet --verbose --if-present --workspace= --workspaces --include-workspace-root --ignore-scripts"
    " --color --json --version --watch --watchAll --coverage --ci --bail --fix --check --update --updateSnapshot"
    " --passWithNoTests --runInBand --maxWorkers= --testNamePattern= --testPathPattern= --testPathPatterns="
    " --testTimeout= --grep= --filter= --run --dry-run --strict --noEmit --list --findRelatedTests --onlyChanged"
    " --changedSince= --detectOpenHandles --forceExit --headed --workers= --retries= --timeout= --mode= --loglevel=",
    apart=True,
)

_EVERY = (
    "basename cal cat cd cmp cut df dirname du echo head id ls md5sum mkdir nl ps pwd readlink realpath rev seq"
    " sha256sum shasum sleep stat strings tac tail touch tr true type uname wc which whoami"
)

#: By program, or by program and its first argument. All of them are suggested.
HARMLESS: dict[tuple[str, ...], Harmless] = {
    **{(name,): Harmless(every=True) for name in _EVERY.split()},
    ("egrep",): _GREP,
    ("fgrep",): _GREP,
    ("grep",): _GREP,
    # With an operand it may set the clock.
    ("date",): _options(
        "d:r:uRI::jv:h",
        "--date= --utc --universal --iso-8601 --rfc-3339 --rfc-email --reference= --debug --resolution --version",
        operand=r"\+.*",
    ),
    ("diff",): _options(
        "abBcC:dD:eEF:H:iI:L:nNpPqrsS:tTuU:vwW:x:X:yZ0123456789",
        "--brief --unified --context --recursive --new-file --unidirectional-new-file --ignore-case --ignore-all-space"
        " --ignore-space-change --ignore-blank-lines --ignore-trailing-space --ignore-tab-expansion"
        " --ignore-matching-lines= --ignore-file-name-case --exclude= --exclude-from= --side-by-side --width="
        " --suppress-common-lines --color --palette= --strip-trailing-cr --text --minimal --normal --ed --rcs"
        " --report-identical-files --label= --show-c-function --show-function-line= --left-column --expand-tabs"
        " --initial-tab --tabsize= --no-dereference --from-file= --to-file= --horizon-lines= --speed-large-files"
        " --ifdef= --starting-file= --line-format= --version",
    ),
    # Without -C, which writes a file, and -z, which runs programs.
    ("file",): _options(
        "bcdEhiklLNnprsv0e:F:f:P:",
        "--brief --mime --mime-type --mime-encoding --extension --no-dereference --dereference --keep-going --raw"
        " --separator= --exclude= --no-pad --print0 --preserve-date --special-files --apple --list --no-buffer --debug"
        " --checking-printout --version",
    ),
    # With an operand it sets the name.
    ("hostname",): _options(
        "sfidAyI", "--short --fqdn --long --domain --ip-address --all-ip-addresses --all-fqdns --alias", operands=0
    ),
    ("jq",): _options(
        "cnrRjaSsMCehVL:f:",
        "--null-input --raw-input --raw-output --raw-output0 --join-output --compact-output --slurp --sort-keys"
        " --color-output --monochrome-output --tab --indent= --arg= --argjson= --slurpfile= --rawfile= --args"
        " --jsonargs --exit-status --from-file= --seq --stream --stream-errors --ascii-output --unbuffered --version"
        " --build-configuration",
        apart=True,
    ),
    # In a shell, -v sets a variable.
    ("printf",): _options(_ALL_LETTERS.replace("v", ""), "--version"),
    # Without -o, which writes a file, and -R, which writes one in each folder.
    ("tree",): _options(
        "adfxlqNQpugshDFvtcUrACSnJXiL:P:I:H:T:0123456789",
        "--dirsfirst --filesfirst --prune --noreport --filelimit= --gitignore --gitfile= --matchdirs --ignore-case"
        " --sort= --si --du --inodes --device --timefmt= --charset= --nolinks --info --infofile= --fromfile"
        " --fromtabfile --metafirst --version",
        apart=True,
    ),
    # It writes to its second operand.
    ("uniq",): _options(
        "cdDf:is:uw:z",
        "--count --repeated --all-repeated --skip-fields= --ignore-case --skip-chars= --unique --zero-terminated"
        " --check-chars= --group --version",
        operands=1,
    ),
    # A formula may be a file or another person's repository, and it is code.
    ("brew", "info"): _options(
        "v",
        "--json --installed --formula --cask --variations --verbose --analytics --days= --category=",
        operand=r"[A-Za-z0-9@+_-]+(\.\d+)*",
    ),
    ("brew", "list"): _options(
        "1lrtv",
        "--formula --cask --versions --full-name --pinned --multiple --verbose",
        operand=r"[A-Za-z0-9@+_-]+(\.\d+)*",
    ),
    ("brew", "search"): _options("v", "--formula --cask --desc --verbose", operand=r"[A-Za-z0-9@+_-]+(\.\d+)*"),
    # With an operand it changes any file.
    ("cargo", "fmt"): _options("qvp:", "--all --check --quiet --verbose --package= --edition=", operands=0),
    ("cargo", "tree"): _options(
        "e:i:df:p:F:qv",
        "--edges= --invert= --duplicates --depth= --prefix= --no-dedupe --charset= --format= --package= --exclude="
        " --workspace --all-features --features= --no-default-features --target= --quiet --verbose --offline --locked"
        " --frozen --color=",
    ),
    ("docker", "images"): _options("af:q", "--all --digests --filter= --format= --no-trunc --quiet --tree"),
    ("docker", "inspect"): _options("f:s", "--format= --size --type="),
    ("docker", "logs"): _options("fn:t", "--details --follow --since= --tail= --timestamps --until="),
    ("docker", "ps"): _options("af:n:lqs", "--all --filter= --format= --last= --latest --no-trunc --quiet --size"),
    ("git", "add"): _options(
        "nvfuANip",
        "--dry-run --verbose --force --update --renormalize --intent-to-add --all --ignore-removal --refresh"
        " --ignore-errors --ignore-missing --sparse --chmod --pathspec-from-file --pathspec-file-nul --patch"
        " --interactive --no-warn-embedded-repo",
        unseen=True,
    ),
    ("git", "blame"): _options(
        "bceflnpstwL:M::C::S:h",
        "--incremental --root --show-stats --progress --score-debug --show-name --show-number --porcelain"
        " --line-porcelain --show-email --ignore-rev --ignore-revs-file --color-lines --color-by-age --minimal"
        " --contents --abbrev --since --date --first-parent --reverse",
        unseen=True,
    ),
    ("git", "cat-file"): _options(
        "etpsz",
        "--allow-unknown-type --use-mailmap --mailmap --batch --batch-check --batch-all-objects --buffer"
        " --follow-symlinks --unordered",
    ),
    # Without options that open an editor or sign.
    ("git", "commit"): _options(
        "aqvsm:F:t:C:zonpiu::h",
        "--quiet --verbose --file= --author= --date= --message= --reuse-message= --fixup= --squash= --reset-author"
        " --signoff --template= --no-edit --cleanup= --status --no-gpg-sign --all --include --interactive --patch"
        " --only --no-verify --verify --dry-run --short --branch --ahead-behind --porcelain --long --null --amend"
        " --no-post-rewrite --untracked-files --pathspec-from-file= --pathspec-file-nul --allow-empty"
        " --allow-empty-message",
    ),
    ("git", "describe"): _options(
        "h",
        "--contains --debug --all --tags --long --first-parent --abbrev --exact-match --candidates --match --exclude"
        " --always --dirty --broken",
        unseen=True,
    ),
    ("git", "diff"): _options(
        _DIFF_LETTERS,
        _DIFF_WORDS + " --cached --staged --merge-base --no-index --base --ours --theirs --cc --combined-all-paths",
    ),
    ("git", "log"): _LOG,
    ("git", "ls-files"): _options(
        "cdmoiskutvfzx:X:h",
        "--cached --deleted --modified --others --ignored --stage --killed --directory --eol --no-empty-directory"
        " --unmerged --resolve-undo --exclude= --exclude-from= --exclude-per-directory= --exclude-standard --full-name"
        " --recurse-submodules --error-unmatch --with-tree= --abbrev --debug --deduplicate --sparse --format=",
        unseen=True,
    ),
    ("git", "ls-tree"): _options(
        "drtlzh",
        "--long --name-only --name-status --object-only --full-name --full-tree --format --abbrev",
        unseen=True,
    ),
    ("git", "merge-base"): _options("ah", "--all --octopus --independent --is-ancestor --fork-point", unseen=True),
    ("git", "rev-list"): _options(_DIFF_LETTERS, _LOG_WORDS),
    ("git", "rev-parse"): _options(
        "qh",
        "--abbrev-ref --short --verify --quiet --symbolic --symbolic-full-name --show-toplevel --show-prefix"
        " --show-cdup --git-dir --git-common-dir --git-path --absolute-git-dir --is-inside-work-tree --revs-only"
        " --is-inside-git-dir --is-bare-repository --is-shallow-repository --show-superproject-working-tree --all"
        " --branches --tags --remotes --glob --exclude --default --prefix --flags --no-flags --no-revs --not --sq"
        " --since --until --path-format --show-object-format --disambiguate --local-env-vars --shared-index-path",
        unseen=True,
    ),
    ("git", "shortlog"): _options(
        "nsecw::h" + _DIFF_LETTERS, _LOG_WORDS + " --committer --numbered --summary --email --group"
    ),
    ("git", "show"): _LOG,
    ("git", "status"): _options(
        "sbvzu::M::h",
        "--verbose --short --branch --show-stash --ahead-behind --porcelain --long --null --untracked-files --ignored"
        " --ignore-submodules --column --renames --find-renames",
        unseen=True,
    ),
    # A version behind “@” would be downloaded.
    ("go", "doc"): _options("", "-all -c -cmd -short -src -u", operand=r"[^@]*"),
    ("go", "fmt"): _options("", "-n -x"),
    ("go", "version"): _options("", "-m -v"),
    ("kubectl", "describe"): _options("An:l:", _PLAIN_KUBECTL + " --show-events"),
    ("kubectl", "explain"): _options("", "--api-version= --recursive"),
    ("kubectl", "get"): _options(
        "An:o:l:L:w",
        _PLAIN_KUBECTL + " --label-columns= --watch --watch-only --show-kind --sort-by= --field-selector= --no-headers"
        " --ignore-not-found --output-watch-events --subresource=",
    ),
    ("kubectl", "logs"): _options(
        "fc:pl:n:",
        _PLAIN_KUBECTL + " --follow --container= --all-containers --previous --since= --since-time= --tail="
        " --timestamps --prefix --max-log-requests= --limit-bytes= --ignore-errors --pod-running-timeout=",
    ),
    ("kubectl", "version"): _options("o:", "--client --short --output="),
    ("npm", "ls"): _options(
        "alpg", "--all --json --long --depth= --parseable --global --omit= --include= --link --prod"
    ),
    ("npm", "outdated"): _options("alpg", "--all --json --long --parseable --global"),
    # The operand may be the address of a server.
    ("npm", "view"): _options("", "--json", operand=r"(@[\w.-]+/)?[\w.\[\]-]+(@[\w.^~<>=*|-]+)?"),
    ("pip", "list"): _options(
        "eloquv",
        "--outdated --uptodate --editable --local --user --path= --pre --format= --not-required --exclude-editable"
        " --include-editable --exclude= --verbose --quiet --no-color --disable-pip-version-check",
    ),
    ("pip", "show"): _options("fqv", "--files --verbose --quiet --no-color --disable-pip-version-check"),
    ("bun", "run"): _SCRIPT,
    ("npm", "run"): _SCRIPT,
    ("pnpm", "run"): _SCRIPT,
    ("yarn", "run"): _SCRIPT,
}
#: Programs that run a script of the project by its name. They are suggested for that script only.
SCRIPTS = frozenset(key for key, options in HARMLESS.items() if options is _SCRIPT)

_ASK_ABOUT = "--help -h --version -v -V"
#: Options that are harmless before the first operand.
GLOBAL = {key[0]: frozenset(_ASK_ABOUT.split()) for key in HARMLESS if len(key) > 1} | {
    "git": frozenset(
        f"{_ASK_ABOUT} --no-pager -P --no-optional-locks --literal-pathspecs --no-replace-objects --glob-pathspecs"
        " --noglob-pathspecs --icase-pathspecs --no-lazy-fetch --no-advice --html-path --man-path --info-path".split()
    ),
    "npm": frozenset(f"{_ASK_ABOUT} --silent -s --quiet -q".split()),
    "pnpm": frozenset(f"{_ASK_ABOUT} --filter -F --recursive -r --workspace-root -w --silent -s".split()),
    "cargo": frozenset(f"{_ASK_ABOUT} --offline --locked --frozen -q --quiet --verbose".split()),
}
