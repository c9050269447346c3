"""Lulu's own folder and database are closed to file tools, by whatever name they are called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lulu.agent.data_folder_guard import REFUSED, reaches_into, rules
from lulu.model.events import Permission, PermissionDecision
from lulu.settings import Settings
from tests.agent.claude_driver import Claude, tool_results_in

#: ``{data}`` is the folder, ``{work}`` the session's (both in ``{top}``), ``{db}`` a database elsewhere.
CLOSED: list[tuple[str, dict[str, Any]]] = [
    *((tool, {"file_path": "{data}/lulu.db"}) for tool in ("Read", "Edit", "Write", "MultiEdit")),
    *((tool, {"notebook_path": "{data}/x.ipynb"}) for tool in ("NotebookEdit", "NotebookRead")),
    ("LSP", {"operation": "hover", "filePath": "{data}/lulu.db", "line": 1}),
    ("LSP", {"filePath": "file://{data}/lulu.db"}),
    ("LS", {"path": "../data"}),
    *[
        ("Read", {"file_path": path})
        for path in (
            *[
                " {data}/lulu.db",
                "{data}/lulu.db ",
                "\t{data}/lulu.db\n",
                "\ufeff{data}/lulu.db",
                "\u00a0{data}/lulu.db",
            ],
            *["~/data/lulu.db", " ~/data/lulu.db", "~/work/../data/lulu.db", "link/lulu.db", "{work}/link/sub/new.txt"],
            *["/proc/self/root{data}/lulu.db", "/proc/self/cwd/../data/lulu.db", "/proc/thread-self/cwd/link/lulu.db"],
            *["{data}//./lulu.db", "{data}", "hard.db", "{db}", "{db}-wal", "{db}-shm", "{db}-journal", "{db}.lock"],
            *["{db}.owner", "{db}.migrating", "{db}.damaged-2026", "dblink", "hard-db", "../elsewhere/./main.db-wal"],
        )
    ],
    ("Glob", {"pattern": "../d*a/**"}),
    ("Glob", {"pattern": "../{{data,x}}/*"}),
    ("Glob", {"pattern": "../{{x,da{{t,u}}a}}/*"}),
    ("Glob", {"pattern": "{top}/[d]ata/*"}),
    ("Glob", {"pattern": "{top}/????/*"}),
    ("Glob", {"pattern": "**", "path": "{data}"}),
    ("Glob", {"pattern": "data/*", "path": "{top}"}),
    ("Glob", {"pattern": "**/data/*", "path": "{top}"}),
    ("Glob", {"pattern": "l*nk/*"}),
    ("Glob", {"pattern": "../elsewhere/m?in.db*"}),
    ("Grep", {"pattern": "x", "glob": "../data/*"}),
    ("Grep", {"pattern": "x", "glob": "*.py ../data/*"}),
    ("Grep", {"pattern": "x", "glob": "{{../data,y}}/**"}),
    ("Grep", {"pattern": "x", "path": "~/data"}),
    ("mcp__filesystem__read_file", {"path": "{data}/lulu.db"}),
    ("mcp__filesystem__read_multiple_files", {"paths": ["{work}/a", "{data}/lulu.db"]}),
    ("mcp__filesystem__move_file", {"source": "{work}/a", "destination": {"to": "~/data/b"}}),
    ("mcp__filesystem__list_directory", {"path": "../data"}),
    ("mcp__any__open", {"uri": "file://{data}/lulu%2Edb"}),
    ("ReadMcpResourceTool", {"server": "x", "uri": "FILE://{data}/lulu.db"}),
    ("SomeNewTool", {"where": "{db}"}),
    # Spelled so that only the program that opens it knows what is meant.
    ("Read", {"file_path": "{data}/" + "./" * 3_000 + "lulu.db"}),
    ("Read", {"file_path": "{work}" + "/x/.." * 1_500 + "/../data/lulu.db"}),
    ("Read", {"file_path": "/proc/self/task/../cwd/../data/lulu.db"}),
    ("Read", {"file_path": "/proc/./self//cwd/../data/lulu.db"}),
    ("Glob", {"path": "~", "pattern": "data/*"}),
    ("Glob", {"path": " ~/ ", "pattern": "data/*"}),
    ("Grep", {"path": "~", "pattern": "x", "glob": "data/*"}),
    ("Glob", {"pattern": "../{{" + ",".join(f"a{n}" for n in range(1_500)) + ",data}}/*"}),
    ("Glob", {"pattern": "../{{" + ",".join(f"a{n}" for n in range(500)) + ",data}}/*"}),
    ("Glob", {"pattern": "../{{" + "x" * 5_000 + ",data}}/*"}),
    *(
        ("Glob", {"pattern": f"../{name}/*"})
        for name in ("@(data|x)", "+(d)ata", "!(x)/lulu.db", "?(d)ata", "*(x|data)")
    ),
    *(("Glob", {"pattern": pattern}) for pattern in (r"..\/data/*", r"../d\ata/*", r"\.\./data/*")),
    *(("Glob", {"pattern": f"{link}/data/*"}) for link in ("up", "u?", "*", "[u]p", "@(up)", "sub/u*", "*/up", "*/*")),
    *(
        ("mcp__db__query", {"url": f"{scheme}{{db}}"})
        for scheme in ("sqlite:///", "sqlite://", "jdbc:sqlite:", "x://y")
    ),
    ("mcp__any__open", {"uri": "vscode://file{data}/lulu%2Edb"}),
    ("mcp__any__open", {"root": "{top}", "name": "data/lulu.db"}),
    ("mcp__any__open", {"name": "data", "where": {"root": "~"}}),
    ("mcp__any__open", {"files": {"{data}/lulu.db": {"edit": "x"}}}),
    ("mcp__any__open", {"path": "'{data}/lulu.db'"}),
    ("mcp__any__open", {"path": "$HOME/data/lulu.db"}),
    ("mcp__any__open", {"path": "{data}/" + "./" * 3_000 + "lulu.db"}),
]
OPEN: list[tuple[str, dict[str, Any]]] = [
    ("Read", {"file_path": "{work}/lulu.db"}),
    ("Read", {"file_path": "{data}-not/lulu.db"}),
    ("Read", {"file_path": "a.txt"}),
    ("Read", {"file_path": "two.txt"}),
    ("Read", {"file_path": "../elsewhere/main.dbx"}),
    ("Read", {"file_path": "../elsewhere/other"}),
    ("Read", {"file_path": 5}),
    ("Read", {"file_path": "\0"}),
    ("Read", {"file_path": "~nobody-of-this-name/x"}),
    ("Read", {"file_path": "x" * 10_000}),
    ("Glob", {"pattern": "**/*.py"}),
    ("Glob", {"pattern": "**/*.py", "path": "{top}"}),
    ("Glob", {"pattern": "*/*"}),
    ("Grep", {"pattern": "{data}"}),
    ("Grep", {"pattern": "token", "path": "{work}"}),
    ("Bash", {"command": "cat {data}/lulu.db"}),
    ("Agent", {"prompt": "{data}/lulu.db"}),
    ("TodoWrite", {"todos": [{"content": "{data}/lulu.db"}]}),
    ("WebFetch", {"url": "https://example.org/{data}/lulu.db"}),
    ("mcp__github__issue", {"title": "data", "body": "What is in {data}/lulu.db?", "n": 5}),
    ("mcp__github__issue", {"body": "/* a comment */"}),
    ("mcp__github__issue", {"url": "https://example.org/data/lulu.db", "name": "data"}),
    ("mcp__any__write", {"path": "{work}/a", "content": "x/y" * 10_000}),
    ("mcp__any__open", {"root": "{work}", "name": "data"}),
    ("Glob", {"pattern": "@(src|test)/**/*.py"}),
    ("Glob", {"pattern": "*/*.py"}),
    ("Glob", {"pattern": "{{" + ",".join(f"a{n}" for n in range(100)) + "}}/*.py"}),
]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``data``, ``work`` and ``elsewhere``, with links between them; it is the home folder."""
    for name in ("data", "data-not", "work", "elsewhere"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "data" / "lulu.db").write_text("x")
    (tmp_path / "elsewhere" / "main.db").write_text("y")
    work = tmp_path / "work"
    (work / "a.txt").write_text("z")
    (work / "link").symlink_to(tmp_path / "data")
    (work / "up").symlink_to(tmp_path)
    (work / "sub").mkdir()
    (work / "sub" / "up").symlink_to(tmp_path)
    (work / "dblink").symlink_to(tmp_path / "elsewhere" / "main.db")
    os.link(tmp_path / "data" / "lulu.db", work / "hard.db")
    os.link(tmp_path / "elsewhere" / "main.db", work / "hard-db")
    os.link(work / "a.txt", work / "two.txt")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def filled(value: object, top: Path) -> object:
    match value:
        case str():
            places = {"top": top, "data": top / "data", "work": top / "work", "db": top / "elsewhere" / "main.db"}
            return value.format(**places)
        case list():
            return [filled(each, top) for each in value]
        case dict():
            return {name.format(data=top / "data"): filled(each, top) for name, each in value.items()}
    return value


@pytest.mark.parametrize(
    ("tool", "given", "closed"), [*((*row, True) for row in CLOSED), *((*row, False) for row in OPEN)]
)
def test_own_files_are_closed_by_every_name(top: Path, tool: str, given: dict[str, object], closed: bool) -> None:
    tool_input = {name: filled(value, top) for name, value in given.items()}

    found = reaches_into(top / "data", str(top / "work"), tool, tool_input, database=top / "elsewhere" / "main.db")

    assert found is closed


def test_folder_that_is_reached_through_a_link_is_closed_by_both_names(top: Path) -> None:
    (top / "alias").symlink_to(top / "data")

    assert reaches_into(top / "alias", str(top / "work"), "Read", {"file_path": f"{top}/data/x"})
    assert reaches_into(top / "data", str(top / "work"), "Read", {"file_path": f"{top}/alias/x"})
    assert rules(top / "alias") == [
        f"{tool}(/{top}/{name}/**)" for name in ("alias", "data") for tool in ("Read", "Edit")
    ]


def test_glob_looks_at_so_many_entries_and_no_more(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        for name in range(30):
            (top / "work" / f"a{number}" / f"b{name}").mkdir(parents=True)
    looked: list[str] = []

    def overlap(name: str, glob: str) -> bool:
        looked.append(name)
        return glob == "*"

    monkeypatch.setattr("lulu.agent.data_folder_guard._ENTRIES", 100)
    monkeypatch.setattr("lulu.agent.data_folder_guard.names_overlap", overlap)

    reaches_into(top / "data", str(top / "work"), "Glob", {"pattern": "*/zz*/x?"})

    assert 30 < len(looked) <= 100


def test_search_in_the_folder_itself_is_closed(top: Path) -> None:
    for tool in ("Glob", "Grep", "LS"):
        assert reaches_into(top / "data", str(top / "data" / "sub"), tool, {"pattern": "x"})


def test_deny_rules_of_claude_code_cover_a_database_elsewhere(top: Path) -> None:
    inside, elsewhere = top / "data" / "lulu.db", top / "elsewhere" / "main.db"

    assert rules(top / "data", inside) == [f"Read(/{top}/data/**)", f"Edit(/{top}/data/**)"]
    assert rules(top / "data", elsewhere)[2:] == [
        f"{tool}(/{elsewhere}{more})" for more in ("", "-*", ".*") for tool in ("Read", "Edit")
    ]


def test_database_elsewhere_is_closed_to_the_real_claude_code_and_that_is_kept(claude: Claude) -> None:
    claude.allow("Read", "Write")
    database = claude.folder / "elsewhere" / "main.db"
    claude.start(database_url=f"sqlite:///{database}")
    hard = claude.work / "hard.txt"
    own = claude.folder / "lulu" / "note.txt"
    own.write_text("a narwhal of Lulu")
    os.link(own, hard)
    paths = [str(database), f"{database}-wal", str(hard)]

    session_id = claude.launch(f'SCN:call TOOL=Read INPUT={{"file_path":"{paths[0]}"}}')
    claude.ended(session_id)
    for path in paths[1:]:
        claude.turn(session_id, f'SCN:call TOOL=Read INPUT={{"file_path":"{path}"}}')

    last = claude.requests(session_id)[-1]
    refused = tool_results_in(last)
    assert len(refused) == len(paths)
    assert all(REFUSED in said or "denied by your permission settings" in said for said in refused)
    assert "narwhal" not in str(last.body)
    # What Claude Code's own rules cannot know, Lulu refuses, and says so in the session.
    assert REFUSED in refused[-1]
    assert claude.of(session_id, Permission)[-1].tool_input == {"file_path": str(hard)}
    decided = claude.of(session_id, PermissionDecision)[-1]
    assert (decided.decision, decided.message) == ("denied", REFUSED)


def test_settings_say_where_the_database_is(tmp_path: Path) -> None:
    values = {"data_dir": tmp_path, "database_url": f"sqlite:///{tmp_path}/x/main.db"}

    assert Settings.model_validate(values).database_path == tmp_path / "x" / "main.db"
