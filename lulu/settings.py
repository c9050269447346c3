"""Every path, limit and default, read once from ``LULU_*`` variables or a ``.env`` file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from lulu.errors import ConfigurationError

AgentChoice = Literal["auto", "claude", "demo"]
PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]
SettingSource = Literal["user", "project", "local"]

PREFIX = "LULU_"
_ENV_FILE = ".env"


class Settings(BaseSettings):
    """Lulu's settings. The README has a row for each field (a test compares them)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=_ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("lulu", appauthor=False)),
        description="Folder of Lulu's own files; made with mode 0700.",
    )
    database_url: str | None = Field(
        default=None, description="`sqlite:///` and the path of the database; `lulu.db` in the data folder if unset."
    )
    agent: AgentChoice = Field(
        default="auto", description="`claude`, `demo`, or `auto`: Claude where a credential is set up, else the demo."
    )
    claude_cli_path: Path | None = Field(
        default=None, description="Another Claude Code executable than the one bundled with the SDK."
    )
    model: str | None = Field(default=None, description="Model for new sessions; Claude Code's own default if unset.")
    permission_mode: PermissionMode = Field(default="default", description="Permission mode for new sessions.")
    working_directory: Path = Field(
        default_factory=Path.cwd, description="Folder offered for new sessions: the one Lulu was started in."
    )
    setting_sources: list[SettingSource] = Field(
        default=["user", "project", "local"],
        description="Claude Code's settings files that apply where you trust the folder, as a JSON list; "
        "elsewhere `user` at most.",
    )
    max_cost_usd: float | None = Field(
        default=None, gt=0, description="Cost limit for new sessions (US dollars), checked after spending."
    )
    max_turns: int | None = Field(default=None, ge=1, description="Steps that one prompt may take, for new sessions.")
    max_running: int = Field(default=20, ge=1, le=500, description="Sessions that may work at once; more wait.")
    max_starting: int = Field(default=2, ge=1, le=50, description="Agent processes that may start at once.")
    idle_minutes: float = Field(default=10, gt=0, description="An idle agent process is closed after this long.")
    max_idle: int = Field(default=5, ge=0, description="Idle agent processes kept at most.")
    max_retries: int = Field(
        default=4, ge=0, le=100, description="Times the agent asks the API again after an error (about 8 s for 4)."
    )
    stall_seconds: float = Field(
        default=60, gt=0, description="A running turn that is silent for this long is shown as stalled."
    )
    result_seconds: float = Field(
        default=5,
        gt=0,
        description="A turn is over this long after its agent went quiet: failed if the result is missing, "
        "as it ended if only “idle” is.",
    )
    demo_speed: float = Field(
        default=1.0, ge=0, description="Pace of the demo agent: 2 is twice as fast, 0 does not wait at all."
    )
    lan: Literal["on", "off"] | None = Field(
        default=None, description="`on` or `off` overrides the LAN switch of the Settings page."
    )
    public_url: str | None = Field(
        default=None, description="Address at which a TLS proxy serves Lulu, for example `https://lulu.example.org`."
    )
    open_browser: bool = Field(default=True, description="Open the browser at start.")

    #: The source of each value. It is kept because `forget_environment` deletes the variables.
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: object) -> None:
        """Record the source of each value."""
        found = {name: (PREFIX + name).upper() for name in type(self).model_fields}
        in_file = dotenv_values(_ENV_FILE)
        for name, variable in found.items():
            if _has(os.environ, variable):
                self._sources[name] = "environment"
            elif _has(in_file, variable):
                self._sources[name] = ".env file"

    @field_validator("public_url", mode="after")
    @classmethod
    def _without_a_path(cls, url: str | None) -> str | None:
        if url is None:
            return None
        url = url.rstrip("/")
        if not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?", url):
            raise ValueError("write https://, a host and perhaps a port, without a path")
        return url

    @field_validator("data_dir", "working_directory", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        try:
            return path.expanduser().absolute()
        except (RuntimeError, OSError) as exc:
            raise ValueError(str(exc)) from exc

    @property
    def database_path(self) -> Path:
        """Path of the SQLite file. Raises ``ConfigurationError`` for any other kind of URL."""
        if self.database_url is None:
            return self.data_dir / "lulu.db"
        prefix = "sqlite:///"
        path = self.database_url.removeprefix(prefix)
        if not self.database_url.startswith(prefix) or not path or path == ":memory:" or "?" in path:
            raise ConfigurationError(
                f"LULU_DATABASE_URL is {self.database_url.split('@')[-1]!r}, which Lulu cannot use.",
                safe="Nothing was opened.",
                next_step="Lulu keeps its data in one SQLite file: write sqlite:////folder/lulu.db, or unset it.",
            )
        return Path(path).absolute()

    def source_of(self, name: str) -> str:
        """Return the source of a value: ``environment``, ``.env file`` or ``default``."""
        return self._sources.get(name, "default")


def _has(variables: os._Environ[str] | dict[str, str | None], wanted: str) -> bool:
    return any(name.upper() == wanted and value for name, value in variables.items())


def load_settings() -> Settings:
    """Read the settings. Raises ``ConfigurationError`` with the variable or the file that is wrong."""
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        name = (PREFIX + str(first["loc"][0])).upper() if first["loc"] else "a setting"
        raise _unusable(f"{name} cannot be used: {first['msg']}.") from exc
    except SettingsError as exc:
        # Only lists are parsed before they are validated. The error names the field and no more.
        name = next((name for name in Settings.model_fields if f'"{name}"' in str(exc)), "")
        raise _unusable(f"{PREFIX}{name.upper()} cannot be used: it is not a JSON list.") from exc
    except UnicodeDecodeError as exc:
        raise _unusable(f"The file {Path(_ENV_FILE).absolute()} cannot be read: it is not UTF-8 text.") from exc
    except OSError as exc:
        raise _unusable(f"The folder that Lulu is started in cannot be used: {exc.strerror}.") from exc


def _unusable(happened: str) -> ConfigurationError:
    return ConfigurationError(
        happened, safe="Nothing was started.", next_step="Correct it, or unset it to use the default (see the README)."
    )


def forget_environment() -> None:
    """Delete the ``LULU_*`` variables from the environment, so that no child process inherits them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]
