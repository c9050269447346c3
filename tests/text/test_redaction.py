"""What is hidden from guests: a corpus of secrets, one of look-alikes, and the time that it takes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from lulu.text.redaction.redact import Redactor, redactor, secret_values
from tests.text.look_alikes import LOOK_ALIKES as MORE_LOOK_ALIKES
from tests.text.written_secrets import WRITTEN

_A = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"

#: A text, and what in it must not be left. Put together, so that no scanner takes this file for a leak.
SECRETS = {
    "anthropic": ("key " + "sk-ant-" + "api03-" + _A * 3, _A),
    "anthropic in JSON": ('{"x": "' + "sk-ant-" + "oat01-" + _A * 2 + '"}', _A),
    "openai project": ("sk-" + "proj-" + _A * 2, _A),
    "openai": ("use sk-" + (_A * 2)[:48] + ".", _A),
    "openai service": ("sk-" + "svcacct-" + _A, _A),
    "aws id": ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    "aws temporary id": ("ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    "aws secret": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "K7MDENG"),
    "github classic": ("ghp_" + _A + "abcd", _A),
    "github app": ("ghs_" + _A + "abcd", _A),
    "github fine": ("github_pat_" + "11ABC_" + _A * 2, _A),
    "gitlab": ("glpat-" + _A[:20], _A[:20]),
    "slack bot": ("xoxb-" + "123456789012-" + _A, _A),
    "slack app": ("xapp-" + "1-" + _A, _A),
    "slack hook": ("https://hooks.slack.com/services/T0001/B0001/" + _A[:24], _A[:24]),
    "google key": ("AIza" + "Sy" + _A + "-", _A),
    "google token": ("ya29." + _A, _A),
    "stripe": ("sk_live_" + _A[:24], _A[:24]),
    "npm": ("npm_" + _A + "abcd", _A),
    "pypi": ("pypi-" + "AgEI" + _A * 2, _A),
    "hugging face": ("hf_" + _A + "ab", _A),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + _A, _A),
    "pem": ("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKC\nabc=\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    "pem without its end": ("-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADAN", "MIIEvQ"),
    "basic auth in a URL": ("git clone https://bob:hunter2@example.org/x.git", "hunter2"),
    "database URL": ("postgres://app:s3cr3t-pw@db:5432/app", "s3cr3t"),
    "bearer": ("Authorization: Bearer " + _A, _A),
    "environment file": ("DB_PASSWORD=correct-horse-7", "correct-horse"),
    "quoted password": ('password = "hunter2x"', "hunter2x"),
    "yaml": ("  client_secret: 9f8e7d6c5b4a", "9f8e7d"),
    "json": ('{"api_key": "0123456789abcdef", "n": 1}', "0123456789"),
    "escaped json": ('{\\"token\\": \\"0123456789abcdef\\"}', "0123456789"),
    "exported": ("export MY_SERVICE_TOKEN=abc123def456", "abc123"),
}

#: Nothing in these is secret.
LOOK_ALIKES = [
    "The password is required.",
    "Enter your password: then press Enter",
    "def login(password: str, token: str | None = None) -> None: ...",
    "token: Token = field(default_factory=Token)",
    "tokens: 1,204 in, 88 out",
    "max_tokens=4096",
    "key = value",
    "for key, value in pairs: print(key)",
    "primary key: user_id",
    "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "id 550e8400-e29b-41d4-a716-446655440000",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
    "Secret Santa: bring a gift",
    "password = getpass()",
    "token = request.headers['x-token']",
    "API_KEY=your_api_key_here",
    "password: changeme",
    "secret: ${SECRET}",
    "password=$PASSWORD",
    'api_key = os.environ["API_KEY"]',
    "token_type: bearer",
    "The bearer of bad news came",
    "Basic understanding is enough",
    "passwordless: enabled",
    "sk-learn and sk-image are packages",
    "ghost_writer wrote ghp and gho",
    "https://example.org:8080/path?x=1@y",
    "see http://localhost:8501/session?id=abc",
    '<input type="password" name="pw">',
    "keyboard: qwerty; monkey: see",
    "AKIA is the beginning of an AWS id; eyJ that of a JWT",
    "-----BEGIN CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx user@host",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_hidden(name: str) -> None:
    text, secret = SECRETS[name]
    hide = Redactor()

    shown = hide.text(f"before {text} after")

    assert secret not in shown
    assert "hidden]" in shown
    assert shown.startswith("before ")
    assert hide.count >= 1


@pytest.mark.parametrize(("text", "secret"), WRITTEN)
def test_a_secret_is_hidden_however_it_is_written(text: str, secret: str) -> None:
    shown = Redactor().text(f"before {text} after")

    assert secret not in shown
    assert "hidden]" in shown
    assert shown.startswith("before ")


@pytest.mark.parametrize("text", [*LOOK_ALIKES, *MORE_LOOK_ALIKES])
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    hide = Redactor()

    assert hide.text(text) == text
    assert hide.count == 0


def test_a_secret_is_hidden_wherever_it_stands_in_a_value() -> None:
    hide = Redactor()
    token = SECRETS["github classic"][0]

    shown = hide.value({"command": f"echo {token}", "list": [token, 1, None], "password": "tr0ub4dor", "key": "name"})

    assert token not in str(shown)
    assert shown["password"] == "[password hidden]"
    assert (shown["list"][1:], shown["key"]) == ([1, None], "name")


def test_this_process_s_own_secrets_and_names_are_hidden() -> None:
    hide = redactor({"MY_API_KEY": "quite-ordinary-words", "EDITOR": "vim-is-an-editor"}, Path("/home/anna"))

    shown = hide.text("quite-ordinary-words vim-is-an-editor /home/anna/x /home/annabel")

    assert shown == "[environment hidden] vim-is-an-editor ~/x /home/annabel"


def test_computer_and_home_names_are_hidden_as_whole_words() -> None:
    hide = Redactor(home="/home/anna", names=["annas-laptop", "pc", "localhost"])

    assert hide.text("annas-laptop: pc /home/anna, Annas-Laptop-2 localhost") == (
        "[this computer]: pc ~, Annas-Laptop-2 localhost"
    )


def test_short_or_harmless_variables_are_no_secrets() -> None:
    found = list(
        secret_values({"TOKEN": "short", "KEYFILE": "/etc/keys/file", "LANG": "en_US.UTF-8", "X_SECRET": "12345678"})
    )

    assert found == ["12345678"]


@pytest.mark.parametrize(
    "line",
    [
        "The quick brown fox jumps over the lazy dog. key=value token: foo https://example.org/a?b=c 4b825dc642\n",
        "    def compute(self, value): return self._cache[value] + 'x' * 20  # nothing here\n",
        "a_",
        "password: x\n",
        "password: str = field\n",
        "password: Optional[str] = None\n",
        "token = tokens[key]\n",
        '{"a": "x\\ny\\t\\"b\\" \\u00e9"}\n',
    ],
)
def test_a_megabyte_takes_at_most_five_times_as_long_as_finding_its_words(line: str) -> None:
    text = (line * (1_000_000 // len(line) + 1))[:1_000_000]
    hide = Redactor(home="/home/anna", names=["annas-laptop"], secrets=["a-secret-value"])

    def took(work: Callable[[], object]) -> float:
        # This thread's own time: other tests may share the processor. `make bench` has the seconds.
        began = time.thread_time()
        work()
        return time.thread_time() - began

    words = re.compile(r"\w+")
    of_words, of_hiding = [], []
    for _ in range(7):
        of_words.append(took(lambda: words.findall(PROSE)))
        of_hiding.append(took(lambda: hide.text(text)))
    assert min(of_hiding) <= 5 * min(of_words)


#: What the time for a text is compared with: a megabyte in which one pattern finds the words.
PROSE = "The quick brown fox jumps over the lazy dog. key=value token: foo https://example.org/a?b=c 4b82\n" * 10_000

BODY = [
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
]
KEY = ["-----BEGIN RSA " + "PRIVATE KEY-----", *BODY, "Xq9d3A==", "-----END RSA " + "PRIVATE KEY-----"]
#: How the lines of a file are drawn.
DRAWN = {
    "as they are": "{line}",
    "added": "+{line}",
    "removed": "-{line}",
    "numbered with an arrow": "     {number}→{line}",
    "numbered with a tab": "     {number}\t{line}",
    "found by grep": "src/some/folder/with a name/server.pem:{number}:{line}",
    "beside what grep found": "server.pem-{number}-{line}",
    "a comment": "# {line}",
    "indented": "        {line}",
    "quoted": "> {line}",
    "code": '    "{line}\\n" +',
    "a log": "2026-01-02T03:04:05Z INFO key {line}",
}


def _visible(shown: object) -> list[str]:
    return [part for part in [*BODY, "Xq9d3A"] if part in str(shown)]


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_a_private_key_is_hidden_however_its_lines_are_drawn(drawn: str) -> None:
    lines = [drawn.format(number=number, line=line) for number, line in enumerate(KEY, 9)]
    inside = ["def before():", *lines, "def after():"]
    hide = Redactor()

    for shown in (
        hide.text("\n".join(inside)),
        hide.text("\n".join(inside[:-2])),  # its end is cut off
        hide.text("\n".join(inside[3:])),  # its beginning is
        hide.value(inside),
        hide.value([{"oldStart": 1, "newStart": 1, "lines": inside}]),
        hide.value(
            [{"type": "text", "text": "\n".join(inside[:at])} for at in (3,)]
            + [{"type": "text", "text": "\n".join(inside[3:])}]
        ),
        hide.value({"a": [{"type": "text", "text": one} for one in inside]}),
    ):
        assert not [part for part in _visible(shown) if part != BODY[0] or "def before" in str(shown)]
    assert "def after():" in hide.text("\n".join(inside))
    assert hide.value([{"type": "text", "text": "a"}]) == [{"type": "text", "text": "a"}]
    assert hide.value(inside)[0] == "def before():"
    assert hide.value(inside)[-1] == "def after():"


@pytest.mark.parametrize("end", ["\\n", "\\\\n", "\\r\\n", " "])
def test_a_private_key_in_one_line_of_code_is_hidden(end: str) -> None:
    for key in (KEY, KEY[:-1], KEY[:-2]):
        assert _visible(Redactor().text(f'{{"private_key": "{end.join(key)}", "x": 1}}')) == []
        assert _visible(Redactor().text(f"key = {end.join(key)}")) == []


def test_no_private_key_that_grows_shows_a_line() -> None:
    hide = Redactor()
    for drawn in DRAWN.values():
        text = (
            "Look:\n"
            + "\n".join(drawn.format(number=number, line=line) for number, line in enumerate(KEY, 9))
            + "\nDone.\n"
        )

        shown = [hide.text(hide.whole(text[:end])) for end in range(0, len(text) + 1, 3)]

        assert [one for one in [*shown, hide.text(text)] if _visible(one)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I looked at /home/anna.", "I looked at ~."),
        ("/home/anna/x", "~/x"),
        ("/home//anna/x", "~/x"),
        ("/home/./anna/./x", "~/./x"),
        ("//home/anna/x", "~/x"),
        ("%2Fhome%2Fanna%2Fx", "~%2Fx"),
        ("\\u002fhome\\u002fanna\\u002fx", "~\\u002fx"),
        ('"\\/home\\/anna\\/x"', '"~\\/x"'),
        ("file:///home/anna", "file:~"),
        ("/tmp/claude-1000/-home-anna-secret-client/tasks", "/tmp/claude-1000/~-secret-client/tasks"),
        ("~/.claude/projects/-home-anna/x.jsonl", "~/.claude/projects/~/x.jsonl"),
        ("/home/annabel and /home/anna.bak and /home/anna-2 and /srv/home-anna", None),
        ("take-home-anna-test, --home-anna, -home-annabel", None),
    ],
)
def test_the_home_folder_is_hidden_however_it_is_written(text: str, shown: str | None) -> None:
    assert Redactor(home="/home/anna").text(text) == (text if shown is None else shown)


def test_a_home_of_one_folder_is_no_option() -> None:
    hide = Redactor(home="/root")

    assert (
        hide.text("/root/x, /projects/-root-lulu/y, find -root, --root=/x")
        == "~/x, /projects/~-lulu/y, find -root, --root=/x"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SECRET_ACCESS_KEY", "/cD3fGh1jKlMn0pQrStUvWxYz+/1234567890Abc"),
        ("MYSQL_PWD", "quite ordinary words"),
        ("DB_PASS", "quite-ordinary"),
        ("PGPASSWORD", "quite-ordinary\n"),
        ("X_TOKEN", 'with "quotes" and \\ and ü/ö'),
    ],
)
def test_this_process_s_own_secrets_are_hidden_however_they_are_written(name: str, value: str) -> None:
    hide = redactor({name: value}, None)
    own = value.strip()

    for text in (own, json.dumps(own), json.dumps(json.dumps(own)), json.dumps(own, ensure_ascii=False), quote(own)):
        assert hide.text(f"is {text} here").count("[environment hidden]") == 1, text
    assert list(secret_values({"PWD": "/srv/here/x", "OLDPWD": "/srv/there/x", "COMPASS": "north-north"})) == []


@pytest.mark.parametrize(
    "value",
    [
        {"password": "letmein"},
        {"PGPASSWORD": "letmein"},
        {"dbPassword": "letmein"},
        {"password_1": "letmein"},
        {"password": 12345678},
        {"secret": {"value": "letmein"}},
        {"secret": {"deeper": ["letmein", {"pin": 12345678}]}},
        {"passwords": ["letmein"]},
        {"env": [{"name": "DB_PASSWORD", "value": "letmein"}]},
        {"token": "abc12345letmein"},
    ],
)
def test_what_stands_under_a_secret_s_name_in_a_value_is_hidden(value: object) -> None:
    shown = str(Redactor().value(value))

    assert "letmein" not in shown
    assert "12345678" not in shown
    assert "hidden]" in shown


@pytest.mark.parametrize(
    "value",
    [
        {"usage": {"input_tokens": 123456, "output_tokens": 4567, "max_tokens": 64000}},
        {"password": {"type": "string", "description": "The password", "minLength": 1000}},
        {"properties": {"token": {"type": "string"}}, "required": ["password", "token"]},
        {"secretName": "my-secret-1", "compass": "north1234", "monkey": 123456, "password": None, "token": True},
        {"type": "base64", "media_type": "image/png", "data": "AKIAIOSFODNN7EXAMPLE+AKIAIOSFODNN7EXAMPLE"},
    ],
)
def test_a_value_without_a_secret_stays(value: object) -> None:
    hide = Redactor()

    assert hide.value(value) == value
    assert hide.count == 0


MIDDLE = [f"{number}{BODY[number % 2]}"[:64] for number in range(6)]


@pytest.mark.parametrize("width", [64, 70])
def test_the_middle_of_a_private_key_is_hidden_in_what_was_changed(width: int) -> None:
    middle = [(line * 2)[:width] for line in MIDDLE]

    for shown in (
        Redactor().value({"old_string": "\n".join(middle[:3]), "new_string": "\n".join(middle[3:])}),
        Redactor().value([{"lines": [f"+{line}" for line in middle]}]),
        Redactor().text("\n".join(f"  {number}\u2192{line}" for number, line in enumerate(middle))),
    ):
        assert [line for line in middle if line in str(shown)] == []


@pytest.mark.parametrize(
    "lines",
    [
        ["-----BEGIN CERTIFICATE-----", *MIDDLE, "-----END CERTIFICATE-----"],
        ["".join(MIDDLE)],
        [(line * 2)[:76] for line in MIDDLE],
        [f"sha256:{line.encode().hex()[:64]}" for line in MIDDLE],
        [line.encode().hex()[:64] for line in MIDDLE],
        [f"h1:{line[:43]}=" for line in MIDDLE],
        MIDDLE[:2],
    ],
    ids=["certificate", "one line", "76 letters", "hashes", "bare hashes", "go.sum", "two lines"],
)
def test_other_base64_stays(lines: list[str]) -> None:
    text = "\n".join(lines)

    assert Redactor().text(text) == text
