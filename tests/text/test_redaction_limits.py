"""What the redactor holds for every text: no context shows a secret, no text takes long, no shape is forgotten."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lulu.text.redaction.escapes import unescaped
from lulu.text.redaction.known_shapes import shapes
from lulu.text.redaction.letters import Letters
from lulu.text.redaction.redact import Redactor
from tests.text.written_secrets import WRITTEN, R

TABLE = tomllib.loads(resources.files("lulu.text.redaction").joinpath("known_shapes.toml").read_text("utf-8"))
TOKEN = "ghp_" + R + "abcd"
PASSWORD = "hunter2xq9"
KEY_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
PEM = "-----BEGIN " + f"PRIVATE KEY-----\n{KEY_LINE}\n{KEY_LINE[::-1]}\nabc=\n-----END " + "PRIVATE KEY-----"

#: What says that a secret follows, each with the secret.
TOLD = [
    *(f"{before}{TOKEN}" for before in ("", "x ", "TOKEN_", "%20", "\\n", "\\u0022", "https://", "Bearer ", "key=")),
    *(
        f"{name}={PASSWORD}"
        for name in ("DB_PASS", "PGPASSWORD", "MYSQL_PWD", "password_1", "dbPassword", "--password")
    ),
    *(f'"{name}": "{PASSWORD}"' for name in ("password", "dbPassword", "clientSecret", "x_token_1")),
    f"password: {PASSWORD}",
    f'password: str = "{PASSWORD}"',
    f"<password>{PASSWORD}</password>",
    f"curl -u anna:{PASSWORD} https://x.org",
    f"https://anna:{PASSWORD}@x.org",
    PEM,
]
#: How a text may be put into another.
WRAPPED: dict[str, Callable[[str], str]] = {
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "added": lambda text: "\n".join(f"+{line}" for line in text.split("\n")),
    "numbered": lambda text: "\n".join(f"{number}\t{line}" for number, line in enumerate(text.split("\n"), 1)),
    "arrows": lambda text: "\n".join(f"    {number}→{line}" for number, line in enumerate(text.split("\n"), 1)),
    "comments": lambda text: "\n".join(f"# {line}" for line in text.split("\n")),
    "fence": lambda text: f"```\n{text}\n```",
    "as it is": str,
}
LEFT = (R, PASSWORD, KEY_LINE, KEY_LINE[::-1])
PROSE = st.sampled_from(
    ["", "Look at this: ", "def f():\n    ", "The password is wrong.\n", "caf\u00e9 \u706f\u5854 ", '{"a": 1}\n']
)


@settings(max_examples=150)
@given(
    st.sampled_from(TOLD), st.sampled_from(sorted(WRAPPED)), PROSE, PROSE, st.lists(st.integers(0, 2_000), max_size=8)
)
def test_no_context_shows_a_secret(told: str, wrapped: str, before: str, after: str, cuts: list[int]) -> None:
    text = f"{before}\n{WRAPPED[wrapped](told)}\n{after}"
    hide = Redactor()

    seen = [
        hide.text(text),
        hide.value(text.split("\n")),
        hide.value({"content": [{"type": "text", "text": line} for line in text.split("\n")]}),
        hide.value([{"lines": [f"+{line}" for line in text.split("\n")]}]),
        *(hide.text(hide.whole(text[:cut])) for cut in {*cuts, len(text), len(text) // 2}),
    ]

    assert [one for one in seen if any(left in str(one) for left in LEFT)] == []


@pytest.mark.parametrize(
    "joined",
    [
        '"hun" + "ter-2x99"',
        '("hun"\n  "ter-2x99")',
        '"hun"\n  + "ter-2x99"',
        "'hun' . 'ter2x'",
        '"hun one " + "two ter six"',
    ],
)
def test_no_secret_of_several_parts_shows_one_while_it_grows(joined: str) -> None:
    hide = Redactor()
    text = f"Look:\nPASSWORD = {joined}\nThat is all.\n"

    shown = [hide.text(hide.whole(text[:end])) for end in range(len(text) + 1)]

    assert [one for one in shown if "hun" in one or "ter" in one] == []
    assert hide.text(text).endswith("That is all.\n")


#: The worst for each pattern: its beginning again and again, and what it repeats without an end.
WORST = [
    *(
        "a",
        "a_",
        "\\",
        "%20",
        "\\n",
        "-eyJ1a",
        "password=",
        "password: ",
        'password="',
        '"secret":{',
        '"key": "',
        "<password>",
    ),
    *(
        "://a:",
        "https://a:b",
        "authorization: ",
        "Bearer ",
        "curl -u a:",
        "login a ",
        "machine a ",
        " --password ",
        "-----BEGIN PRIVATE KEY-----\n",
    ),
    *(
        "-----END PRIVATE KEY-----\n",
        "MIIEvQIBADANBgkqhkiG9w0B1\n",
        "data:image/png;base64,",
        "sk-",
        "glpat-",
        "/home/",
        "-home-",
        "token, ",
        "key\n",
        "password: str = x\n",
        "mysql -p ",
        'password = "" + ',
        "secret=('' '' ",
        'token: "a" + ',
        "create secret --from-literal=a=b ",
        "Basic YTpi ",
    ),
]


@pytest.mark.parametrize("worst", WORST)
def test_twice_the_text_takes_at_most_three_times_as_long(worst: str) -> None:
    hide = Redactor(home="/home/anna", names=["annas-laptop"], secrets=["a-secret-value"])

    def took(length: int) -> float:
        text = (worst * (length // len(worst) + 1))[:length]
        times = []
        for _ in range(5):
            began = time.thread_time()
            hide.text(text)
            hide.whole(text)
            times.append(time.thread_time() - began)
        return min(times)

    took(1_000)
    # What is not linear takes four times as long each time; a loaded machine only sometimes.
    assert any(took(80_000) <= 3 * took(40_000) + 0.01 for _ in range(3))


def test_every_rule_of_the_list_is_used_or_left_out_with_a_reason() -> None:
    used = {*TABLE["shapes"], *TABLE["named"]}

    assert len(used | {*TABLE["left_out"]}) == len(used) + len(TABLE["left_out"]) == 222
    assert "generic-api-key" in TABLE["left_out"]
    assert all(len(reason) > 10 for reason in TABLE["left_out"].values())
    assert len([*shapes(TABLE)]) == len(TABLE["own"]) + len(used)
    assert all(shape.begins or shape.names for shape in shapes(TABLE))


def test_the_wheel_has_the_list() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    table = resources.files("lulu.text.redaction").joinpath("known_shapes.toml")

    # All files of the package go into the wheel, unless something leaves them out.
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["lulu"]}
    assert table.is_file()
    assert "known_shapes.toml" not in (Path(__file__).parents[2] / ".gitignore").read_text("utf-8")


#: Long enough for a text in which words are looked for by where they are written; with escapes that mean no letter.
FILLER = 'Nothing is to be seen here, \\"nothing\\" at all.\\n' * 1_200
PIECES = [
    "pass",
    "word",
    "p\\u0061ss",
    "pa%73s",
    "to\\u001b[1mken",
    "to",
    "ken",
    "&#107;ey",
    "k",
    "ey",
    "\\key",
    "\\token",
]
PIECES += [
    "au\\x74h",
    "auth",
    "orization",
    "ba",
    "sic",
    "\\n",
    '\\"',
    "\\\\n",
    "%20",
    " ",
    "\\",
    "=hunter2xq9",
    FILLER[:60],
]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from([1, 60, 700]), st.booleans())
def test_a_word_is_found_in_a_long_text_however_it_is_spelled(pieces: list[str], times: int, before: bool) -> None:
    text = "".join(pieces) * times
    meant = unescaped(Letters(text + FILLER if before else FILLER + text))

    assert meant is not None
    for word in ("pass", "password", "key", "token", "authorization", "auth", "basic", "requirepass"):
        begun = [match.start() for match in meant.begun(word, re.compile(word))]
        assert begun == [*meant.places(word)] == [match.start() for match in re.finditer(word, meant.lower)]


def test_a_secret_is_hidden_in_a_long_text_as_in_a_short_one() -> None:
    hide = Redactor()
    text = FILLER + "\n\nAnd then:\n\n".join(told for told, _ in WRITTEN)

    for shown in (hide.text(text), hide.text(json.dumps(text))):
        assert [secret for _, secret in WRITTEN if secret in shown] == []
