"""Names of everything that the matcher looks at, so that a test can switch each off and see what breaks."""

from __future__ import annotations

from enum import StrEnum, auto


class Check(StrEnum):
    """One property of the matcher. All are on in use; ``tests/rules/test_rules_removal.py`` has a case for each."""

    # Which rules count.
    #: A deny rule beats every approve rule, whatever their order.
    DENY_WINS = auto()
    #: A rule that is switched off decides nothing.
    SWITCH = auto()
    #: A rule of one session holds for that session only.
    SESSION = auto()
    #: A rule of one folder holds for sessions in that folder or below it.
    FOLDER = auto()
    #: Questions and plans are always put to a person.
    PERSON = auto()
    #: Nothing is approved by rule while a deny rule that holds here cannot be read.
    UNREADABLE = auto()

    # Tools.
    #: ``*`` in a tool's name.
    TOOL_STARS = auto()
    #: ``mcp__server`` is every tool of that server.
    SERVER = auto()
    #: ``Task`` is the older name of ``Agent``; ``Monitor`` runs commands as ``Bash`` does.
    ALIASES = auto()
    #: ``Edit(path)`` holds for every tool that edits, ``Read(path)`` for every tool that reads.
    FAMILY = auto()
    #: A denied ``Read(path)`` denies edits there too.
    READ_SHIELDS = auto()
    #: ``Tool(field:value)`` looks at one field; only to deny.
    FIELDS = auto()

    # Command patterns.
    #: ``Bash(ls *)`` takes ``ls -la`` and ``ls``, not ``lsof``.
    WORD_BOUNDARY = auto()
    #: ``\*`` is an asterisk.
    LITERAL_STAR = auto()
    #: A pattern without ``*`` that is the whole command, to the letter, approves it, whatever it does.
    EXACT_TEXT = auto()

    # To approve a command: every doubt leaves it to a person.
    #: Each of the commands that are chained needs its approval.
    EVERY_PART = auto()
    #: ``$(…)``, backticks, ``<(…)``.
    SUBSTITUTION = auto()
    #: ``$NAME``, ``${…}``, ``$'…'``.
    EXPANSION = auto()
    #: ``( … )`` and what else needs parentheses.
    GROUPING = auto()
    #: ``if``, ``for``, ``{``, ``!``, ``[[`` …
    KEYWORDS = auto()
    #: ``<<EOF`` and ``<<<``.
    HEREDOC = auto()
    #: ``"$(cat <<'EOF' … EOF)"`` is only a long quoted text.
    MESSAGE = auto()
    #: Control characters, blanks that only look like blanks.
    CHARACTERS = auto()
    #: ``{a,b}``; to deny, ``{rm,-rf,x}`` is ``rm -rf x``.
    BRACES = auto()
    #: More than 10,000 characters.
    LENGTH = auto()
    #: A quote that is not closed, an operator with nothing beside it.
    INCOMPLETE = auto()
    #: ``/bin/r?`` in the program's place; to deny, it is every program that it may be.
    PROGRAM_GLOB = auto()
    #: A variable that is set before a command may change what the command is.
    ASSIGNMENT = auto()
    #: ``NODE_ENV=test npm test`` is ``npm test``.
    SAFE_ASSIGNMENT = auto()
    #: ``timeout 30 npm test`` is ``npm test``.
    WRAPPERS = auto()
    #: ``Bash(timeout *)`` says nothing about what runs in the timeout.
    WRAPPER_ALONE = auto()
    #: ``Bash(grep x)`` does not approve ``xargs grep x``, which adds arguments.
    STDIN_ARGUMENTS = auto()
    #: ``watch``, ``setsid``, ``env`` … need the exact command.
    EXEC_WRAPPER = auto()
    #: So does ``find`` with ``-exec`` or ``-delete``.
    FIND_ACTION = auto()
    #: ``git diff --output=x`` writes, ``uniq a b`` too: only a rule that names the option approves it.
    HARMLESS = auto()
    #: ``git push x\\ --dry-run`` does not end with the word ``--dry-run``.
    BLANKS = auto()
    #: A file that output goes to needs an approved ``Edit(path)``, one that input comes from a ``Read(path)``.
    REDIRECTION = auto()
    #: … but not ``/dev/null``.
    DEV_NULL = auto()
    #: ``cd x && git …`` runs what the other folder says.
    CHANGED_FOLDER = auto()

    # To deny a command: one suspicion is enough.
    #: Any of the chained commands denies the call.
    ANY_PART = auto()
    #: ``r"m"``, ``'rm'`` and ``\rm`` are ``rm``.
    QUOTES = auto()
    #: ``FOO=1 rm`` is ``rm``.
    PAST_ASSIGNMENT = auto()
    #: ``>x rm y`` is ``rm y``.
    PAST_REDIRECTION = auto()
    #: ``then rm`` and ``{ rm`` are ``rm``.
    PAST_KEYWORDS = auto()
    #: ``X=rm; $X`` is ``rm``; what is not known counts as empty.
    VALUES = auto()
    #: Commands in ``$(…)``, backticks, ``<(…)``.
    INSIDE = auto()
    #: ``/bin/rm`` is ``rm``.
    PROGRAM_PATH = auto()
    #: ``RM`` is ``rm`` where the file system does not tell them apart.
    PROGRAM_CASE = auto()
    #: ``git -C x push`` is ``git push``.
    OPTIONS = auto()
    #: ``sudo rm``, ``xargs rm``, ``find … -exec rm`` run ``rm``.
    RUNNERS = auto()
    #: ``bash -c 'rm x'``, ``eval``, ``… | sh`` run ``rm``.
    RUN_TEXT = auto()
    #: ``cat .env`` reads ``.env``, ``rm x`` and ``> x`` write ``x``.
    FILES_IN_COMMAND = auto()

    # Paths.
    #: ``a/../b`` is ``b``.
    DOTS = auto()
    #: What a link points to counts too.
    LINK_TARGET = auto()
    #: A link itself counts too.
    LINK_ITSELF = auto()
    #: The folder that a pattern starts from may be reached through a link.
    LINKED_ANCHOR = auto()
    #: A pattern holds below the folder that it starts from only.
    ANCHOR = auto()
    #: A bare file name is meant at any depth.
    ANY_DEPTH = auto()
    #: ``src/**`` approves the top ``src`` only, and denies every ``src``.
    SINGLE_FOLDER = auto()
    #: ``*`` stays within one part of a path.
    SEGMENT = auto()
    #: To deny, large and small letters are the same.
    PATH_CASE = auto()
    #: ``Edit(./**)`` does not approve ``.git/hooks``, which says what programs do next.
    DELICATE = auto()
    #: A search needs approval for everything that it may find.
    WHOLE_FOLDER = auto()
    #: ``Glob`` with ``../*`` leaves its folder.
    SEARCH_ELSEWHERE = auto()

    # Web.
    #: ``Example.org.`` is ``example.org``.
    HOST_SPELLING = auto()
    #: ``example.*`` does not take ``example.evil.org``.
    HOST_LABELS = auto()
    #: An address that programs read differently is not approved.
    HOST_PLAIN = auto()


#: What is on in use.
ALL = frozenset(Check)
