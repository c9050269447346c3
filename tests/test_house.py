"""The rules of the house that no linter holds, read from the source; each is shown to catch what it is for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lulu.settings import PREFIX, Settings
from tests.support import ROOT

Rule = Callable[[str, ast.Module], Iterator[str]]

PRODUCT = [ROOT / "lulu_app.py", *sorted(ROOT.glob("pages/*.py")), *sorted(ROOT.glob("lulu/**/*.py"))]
#: A migration's statements are all its own, and given to Alembic one by one.
STORE = sorted(path for path in ROOT.glob("lulu/store/**/*.py") if path.parent.name != "versions")
#: No row is in the bell and in the notice of a broken file.
NOT_OWNERS = {"lulu/ui/browser/doorbell.py", "lulu/ui/alerts.py"}
#: What asks in every run who looks: whether that is an owner, or somebody who may see this session.
ASKS = {"identity.owner_only", "viewer_only"}
#: What renews itself for those only who may see it.
FRAGMENTS = sorted({*ROOT.glob("lulu/ui/**/*.py")} - {ROOT / name for name in NOT_OWNERS})
TESTS = sorted(ROOT.glob("tests/**/*.py"))
SCRIPTS = sorted(ROOT.glob("scripts/**/*.py"))
EVERYTHING = [*PRODUCT, *TESTS, *SCRIPTS]

MOST_MODULES = 12
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_PAGE = 40

#: Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "data", "info", "misc"}
#: What a page may import: what draws, what runs, and the values in a URL or an error.
OF_A_PAGE = {"__future__", "streamlit", "lulu.ui", "lulu.runtime", "lulu.errors", "lulu.model.sessions", "lulu.text"}
#: What the entry point may import: the parts that it plugs together.
OF_THE_APP = {"__future__", "streamlit", "starlette", "lulu.runtime", "lulu.access", "lulu.server", "lulu.ui.browser"}
#: Where SQLAlchemy is used without dataset: a file is checked, copied and migrated before dataset sees it.
BARE_SQL = {"lulu/store/sqlite/connection.py", "lulu/store/sqlite/migrate.py"}
#: Where sqlite3's own connection is made, for dataset and SQLAlchemy alike.
CONNECTS = "lulu/store/sqlite/connection.py"


# ---- reading the source


def imports(tree: ast.AST) -> Iterator[str]:
    """Every imported name in full: ``from lulu import runtime`` gives ``lulu.runtime``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def is_fixed(node: ast.expr | None) -> bool:
    """Whether a text is put together from literals, our own CONSTANTS and files only."""
    match node:
        case None | ast.Constant():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper()
        case ast.JoinedStr(values=parts):
            return all(is_fixed(part) for part in parts)
        case ast.FormattedValue(value=value):
            return is_fixed(value)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return is_fixed(left) and is_fixed(right)
        case ast.Call(func=ast.Name("asset"), args=[ast.Constant()]):
            return True
        case _:
            return False


def within(name: str, allowed: set[str]) -> bool:
    """Whether an imported name is one of these modules, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in allowed)


# ---- the rules: each yields what is wrong in one file


def thin(path: str, tree: ast.Module) -> Iterator[str]:
    """The entry point and the pages only plug together what ``lulu`` has."""
    allowed = OF_THE_APP if path == "lulu_app.py" else OF_A_PAGE
    yield from (f"imports {name}" for name in imports(tree) if not within(name, allowed))


def html_is_ours(path: str, tree: ast.Module) -> Iterator[str]:
    """HTML, CSS and scripts are our own constants, never a text from elsewhere."""
    for name, call in calls(tree):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        switch = keywords.get("unsafe_allow_html") or keywords.get("unsafe_allow_javascript")
        if switch is not None and not (isinstance(switch, ast.Constant) and switch.value is False):
            yield f"line {call.lineno}: {name} with unsafe content"
        parts = list(call.args[:1]) if name.endswith((".html", ".iframe")) else []
        if name.endswith((".component", ".html")):
            parts += [keywords[part] for part in ("html", "css", "js", "body") if part in keywords]
        if not all(is_fixed(part) for part in parts):
            yield f"line {call.lineno}: {name} with a text that is no constant"


def no_shell(path: str, tree: ast.Module) -> Iterator[str]:
    """No text ever reaches a shell."""
    for name, call in calls(tree):
        shells = [keyword.value for keyword in call.keywords if keyword.arg == "shell"]
        wanted = any(not (isinstance(value, ast.Constant) and value.value is False) for value in shells)
        if wanted or name in ("os.system", "os.popen", "subprocess.getoutput", "asyncio.create_subprocess_shell"):
            yield f"line {call.lineno}: {name} uses a shell"


def sql_is_ours(path: str, tree: ast.Module) -> Iterator[str]:
    """SQL is a constant with bound values. One function may hand on a parameter called ``sql``."""
    for name, call in calls(tree):
        if name.rpartition(".")[2] not in ("query", "_query", "execute", "exec_driver_sql", "text"):
            continue
        statement = call.args[0] if call.args else None
        handed_on = isinstance(statement, ast.Name) and statement.id == "sql"
        if not handed_on and not is_fixed(statement):
            yield f"line {call.lineno}: SQL that is put together"


def through_dataset(path: str, tree: ast.Module) -> Iterator[str]:
    """The database is reached through dataset; bare SQLAlchemy only checks, copies and migrates the file."""
    bare = path in BARE_SQL or path.startswith("lulu/store/sqlite/migrations/")
    for name in imports(tree):
        if within(name, {"sqlite3", "aiosqlite"}) and path != CONNECTS:
            yield f"imports {name}"
        if within(name, {"sqlalchemy", "alembic"}) and not bare and not within(name, {"sqlalchemy.exc"}):
            yield f"imports {name}"


def says_what_it_is(path: str, tree: ast.Module) -> Iterator[str]:
    """A module opens with what it owns, under a name that says something. An empty one says nothing."""
    names = set(Path(path).with_suffix("").parts) & EMPTY_NAMES
    yield from (f"is called {name}" for name in sorted(names))
    if tree.body and not ast.get_docstring(tree):
        yield "has no docstring"


def asks_who_looks(path: str, tree: ast.Module) -> Iterator[str]:
    """What renews itself asks in every run who looks. A constant needs not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [ast.unparse(decorator) for decorator in node.decorator_list]
            if any(name.startswith("st.fragment") for name in names) and not ASKS & set(names):
                yield f"{node.name} draws itself again for whoever looks"


def short_functions(path: str, tree: ast.Module) -> Iterator[str]:
    """A function can be read at once."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            lines = node.end_lineno - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield f"{node.name} has {lines} lines; split it by what it answers"


def honest_test(path: str, tree: ast.Module) -> Iterator[str]:
    """A test waits with ``eventually`` and is never skipped."""
    for name, call in calls(tree):
        if name in ("time.sleep", "sleep") and path != "tests/support.py":
            yield f"line {call.lineno}: {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip"):
            yield f"line {node.lineno}: {node.attr}"


def is_named_by_what_it_is(path: str, tree: ast.Module) -> Iterator[str]:
    """A module's name is a thing, not a verb in -ing. A plural in -ings is a thing."""
    if Path(path).stem.endswith("ing"):
        yield "is named by a verb"


#: Each rule, the files that it is for, and a file that breaks it.
RULES: list[tuple[Rule, list[Path], str]] = [
    (thin, [path for path in PRODUCT if path.parent in (ROOT, ROOT / "pages")], "from lulu.store import Store"),
    (html_is_ours, PRODUCT, "st.markdown(answer, unsafe_allow_html=True)"),
    (html_is_ours, PRODUCT, "st.html(f'<b>{title}</b>')"),
    (html_is_ours, PRODUCT, "st.components.v2.component('bell', js=script)"),
    (html_is_ours, PRODUCT, "st.components.v2.component('bell', js=asset(name))"),
    (no_shell, EVERYTHING, "subprocess.run(command, shell=True)"),
    (no_shell, EVERYTHING, "os.system('ls')"),
    (sql_is_ours, STORE, "db.query(f'SELECT * FROM sessions WHERE id = {id}')"),
    (sql_is_ours, STORE, "db.query('SELECT %s' % column)"),
    (sql_is_ours, STORE, "db.query('SELECT {}'.format(column))"),
    (through_dataset, [*PRODUCT, *SCRIPTS], "import sqlite3"),
    (through_dataset, [*PRODUCT, *SCRIPTS], "from sqlalchemy import text"),
    (says_what_it_is, EVERYTHING, "value = 1"),
    (asks_who_looks, FRAGMENTS, "@st.fragment\ndef draw() -> None: ..."),
    (is_named_by_what_it_is, sorted(ROOT.glob("lulu/**/*.py")), "value = 1"),
    (short_functions, EVERYTHING, "def long():\n" + "    pass\n" * MOST_LINES_OF_A_FUNCTION),
    (honest_test, TESTS, "time.sleep(1)"),
    (honest_test, TESTS, "@pytest.mark.skip\ndef test_nothing() -> None: ..."),
]


#: How many files a rule sees at least; 200 where nothing else is said.
FEWEST: dict[Rule, int] = {thin: 10, sql_is_ours: 20, asks_who_looks: 70}


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _, _ in RULES), ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    files = next(files for known, files, _ in RULES if known is rule)
    names = {path: path.relative_to(ROOT).as_posix() for path in files}

    broken = [f"{name}: {wrong}" for path, name in names.items() for wrong in rule(name, ast.parse(path.read_text()))]

    assert len(files) >= FEWEST.get(rule, 200), "A folder that moved is not looked at any more."
    assert broken == [], rule.__doc__


@pytest.mark.parametrize(("rule", "source"), [(rule, source) for rule, _, source in RULES])
def test_rule_catches_what_it_is_for(rule: Rule, source: str) -> None:
    assert list(rule("pages/wronging.py", ast.parse(source)))


def test_what_is_left_out_by_name_is_there() -> None:
    assert [name for name in (*NOT_OWNERS, *BARE_SQL, CONNECTS) if not (ROOT / name).is_file()] == []


def test_sql_may_be_put_together_from_constants() -> None:
    source = "db.query(f'SELECT {COLUMNS} FROM sessions ' + _ORDER, limit=limit)"

    assert list(sql_is_ours("lulu/store/sqlite/reader.py", ast.parse(source))) == []


def test_files_are_short_enough_to_be_read() -> None:
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in [*EVERYTHING, *ASSETS]}

    long = {name: count for name, count in lines.items() if count > most_lines(name)}

    assert long == {}, "Split by the reader's question."


def crowded(folder: Path) -> list[str]:
    """The names of the folders with more modules than one takes in at a glance; a file's versions are no room."""
    folders = {path.parent for path in folder.rglob("*.py")}
    counts = {path: len([*path.glob("*.py")]) - (path / "__init__.py").exists() for path in folders}
    return [path.name for path, count in counts.items() if count > MOST_MODULES and path.name != "versions"]


def test_no_folder_is_crowded(tmp_path: Path) -> None:
    assert crowded(ROOT / "lulu") == [], "Split by what belongs together: see docs/architecture.md."
    assert len(list((ROOT / "lulu").rglob("__init__.py"))) >= 30

    for number in range(MOST_MODULES + 1):
        (tmp_path / f"module{number}.py").touch()
    assert crowded(tmp_path) == [tmp_path.name]


#: All that name Streamlit's elements and classes: scripts, and style sheets.
OF_STREAMLIT = {"streamlit_dom.js", "styles.css"}
ASSETS = sorted(path for path in ROOT.glob("lulu/ui/browser/assets/*") if path.suffix in (".js", ".css"))


def streamlit_names(source: str) -> list[str]:
    """The elements of Streamlit's page that a text names by test id, state or class."""
    return re.findall(r"data-test[\w-]*|dataset\.test\w*|\.st[A-Z]\w+|\.e?st-(?!key-)[\w-]+|stApp\b", source)


def test_one_script_and_one_style_sheet_name_what_streamlit_draws() -> None:
    python = [path for path in PRODUCT if path.suffix == ".py"]
    sources = {path.name: path.read_text(encoding="utf-8") for path in [*ASSETS, *python]}

    naming = {name for name, source in sources.items() if streamlit_names(source)}

    assert naming == OF_STREAMLIT, "Give it a name in streamlit_dom.js, or a rule in styles.css."
    assert streamlit_names("document.querySelector('[data-testid=stMain], .stButton')") == ["data-testid", ".stButton"]


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in the source, and every part of one that is put together."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_key_that_an_asset_names_is_a_widget_s() -> None:
    """Streamlit makes the class ``st-key-<key>`` of a widget's key."""
    ours = {text for path in PRODUCT for text in texts(ast.parse(path.read_text()))}
    named = {key for path in ASSETS for key in re.findall(r"st-key-([a-z_]+)", path.read_text(encoding="utf-8"))}

    def is_ours(key: str) -> bool:
        """Whether it is a key, the beginning of one, or put together from two of our texts."""
        starts = {key, *(key[at:] for at in range(1, len(key)) if key[at - 1] == "_" and key[:at] in ours)}
        return any(text.startswith(start) for text in ours for start in starts)

    unknown = {key for key in named if not is_ours(key)}

    assert len(named) > 40
    assert unknown == set()


def test_streamlit_finds_no_pages_of_its_own() -> None:
    """A folder of that name beside the main script makes them: each address there shows its module, which is blank."""
    assert (ROOT / "lulu/ui/main.py").exists()
    assert not (ROOT / "lulu/ui/pages").exists()


def most_lines(name: str) -> int:
    return MOST_LINES_OF_A_PAGE if name == "lulu_app.py" or name.startswith("pages/") else MOST_LINES


# ---- documents


def test_readme_names_every_setting_with_its_meaning() -> None:
    readme = (ROOT / "README.md").read_text()

    documented = dict(re.findall(r"^\| `(LULU_[A-Z_]+)` \|[^|]*\| (.+) \|$", readme, re.MULTILINE))

    assert documented == {
        f"{PREFIX}{name}".upper(): field.description for name, field in Settings.model_fields.items()
    }, "One row for each field of lulu/settings.py, in its own words."


def test_changelog_has_a_place_for_what_comes_next() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    first = re.search(r"^## (.+)$", changelog, re.MULTILINE)

    assert first is not None
    assert first[1] == "[Unreleased]"


DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_documents_name_only_files_that_exist(document: str) -> None:
    text = (ROOT / document).read_text()

    linked = [(ROOT / document).parent / target for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)]
    named = [ROOT / target for target in re.findall(r"`((?:lulu|tests|scripts|docs|pages)/[\w./-]+)(?:::\w+)?`", text)]
    missing = [target.as_posix() for target in [*linked, *named] if not target.exists()]

    assert missing == []


def test_every_promise_of_security_names_a_test_that_exists() -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", (ROOT / "docs/security.md").read_text()))
    defined = {name for path in TESTS for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}

    assert len(named) > 20
    assert named - defined == set()
