"""Settings: where a value comes from, and that no value of the environment ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from lulu.errors import ConfigurationError
from lulu.settings import PREFIX, Settings, load_settings


def test_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LULU_DATA_DIR")

    settings = load_settings()

    assert settings.agent == "auto"
    assert settings.data_dir.is_absolute()
    assert settings.data_dir.is_relative_to(tmp_path / "home")
    assert settings.database_path == settings.data_dir / "lulu.db"
    assert settings.working_directory == Path.cwd()
    assert {settings.source_of(name) for name in Settings.model_fields} == {"default"}


@pytest.mark.parametrize(
    ("variable", "value", "field", "read"),
    [
        ("LULU_AGENT", "demo", "agent", "demo"),
        ("lulu_agent", "claude", "agent", "claude"),
        ("LULU_MAX_RUNNING", "3", "max_running", 3),
        ("LULU_IDLE_MINUTES", "0.5", "idle_minutes", 0.5),
        ("LULU_OPEN_BROWSER", "false", "open_browser", False),
        ("LULU_SETTING_SOURCES", '["user"]', "setting_sources", ["user"]),
        ("LULU_SETTING_SOURCES", "[]", "setting_sources", []),
        ("LULU_MODEL", "", "model", None),
        ("LULU_LAN", "on", "lan", "on"),
    ],
)
def test_values_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, read: object
) -> None:
    monkeypatch.setenv(variable, value)

    settings = load_settings()

    assert getattr(settings, field) == read
    assert settings.source_of(field) == ("environment" if value else "default")


def test_file_gives_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("LULU_MODEL=opus\nLULU_AGENT=demo\nOTHER=x\nLULU_NO_SUCH_SETTING=1\n")
    monkeypatch.setenv("LULU_AGENT", "claude")

    settings = load_settings()

    assert (settings.model, settings.agent) == ("opus", "claude")
    assert [settings.source_of(name) for name in ("model", "agent", "lan")] == [".env file", "environment", "default"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LULU_AGENT", "gpt"),
        ("LULU_MAX_RUNNING", "0"),
        ("LULU_MAX_RUNNING", "many"),
        ("LULU_MAX_RUNNING", "1e400"),
        ("LULU_IDLE_MINUTES", "nan"),
        ("LULU_IDLE_MINUTES", "-1"),
        ("LULU_PERMISSION_MODE", "yolo"),
        ("LULU_SETTING_SOURCES", "user"),
        ("LULU_SETTING_SOURCES", '["everyone"]'),
        ("LULU_SETTING_SOURCES", "{"),
        ("LULU_OPEN_BROWSER", "perhaps"),
        ("LULU_DATA_DIR", "~nobody-has-this-name/lulu"),
        ("LULU_WORKING_DIRECTORY", "~nobody-has-this-name"),
    ],
)
def test_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError) as told:
        load_settings()

    assert variable in told.value.happened
    assert told.value.safe
    assert told.value.next_step


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"LULU_AGENT=\xff"])
def test_file_that_is_no_text_is_named(content: bytes) -> None:
    Path(".env").write_bytes(content)

    with pytest.raises(ConfigurationError) as told:
        load_settings()

    assert ".env" in told.value.happened
    assert told.value.next_step


def test_folder_that_was_deleted_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(ConfigurationError) as told:
        load_settings()
    monkeypatch.chdir(tmp_path)

    assert told.value.next_step


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lulu/lulu.db", Path("/var/lulu/lulu.db")),
        ("sqlite:////with space/50%/ü.db", Path("/with space/50%/ü.db")),
    ],
)
def test_database_url_names_one_file(monkeypatch: pytest.MonkeyPatch, url: str, path: Path) -> None:
    monkeypatch.setenv("LULU_DATABASE_URL", url)

    assert load_settings().database_path == path


def test_relative_database_url_starts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LULU_DATABASE_URL", "sqlite:///other.db")

    assert load_settings().database_path == Path.cwd() / "other.db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lulu:secret@db.example/lulu",
        "mysql://lulu:s@ecret@db.example/lulu",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///lulu.db?mode=ro",
        "sqlite:/lulu.db",
        "/var/lulu.db",
        "nonsense",
    ],
)
def test_other_databases_are_refused_without_showing_a_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LULU_DATABASE_URL", url)

    with pytest.raises(ConfigurationError) as told:
        _ = load_settings().database_path

    assert "LULU_DATABASE_URL" in told.value.happened
    assert "secret" not in str(told.value)
    assert told.value.next_step


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert PREFIX == "LULU_"
