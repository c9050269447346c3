"""Choose the agent. Only checks whether a credential exists, and never reads one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lulu.settings import AgentChoice

AgentKind = Literal["claude", "demo"]

#: Environment variables with a credential or a provider for Claude Code, and their names on the page.
_VARIABLES = {
    "ANTHROPIC_API_KEY": "API key (ANTHROPIC_API_KEY)",
    "ANTHROPIC_AUTH_TOKEN": "bearer token (ANTHROPIC_AUTH_TOKEN)",
    "CLAUDE_CODE_OAUTH_TOKEN": "Claude subscription token (CLAUDE_CODE_OAUTH_TOKEN)",
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex AI (CLAUDE_CODE_USE_VERTEX)",
    "ANTHROPIC_BASE_URL": "another endpoint (ANTHROPIC_BASE_URL)",
}


@dataclass(frozen=True, kw_only=True)
class AgentSetup:
    """The agent for new sessions, and the reason."""

    kind: AgentKind
    #: The kind of credential, never its value; ``None`` if there is none.
    credential: str | None
    #: One or two sentences for the page: the agent in use, and how to switch.
    explanation: str


def find_credential(environ: Mapping[str, str], home: Path) -> str | None:
    """Return the kind of credential that Claude Code would find, or ``None``."""
    for variable, name in _VARIABLES.items():
        if environ.get(variable, "").strip():
            return name
    config = Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    if (config / ".credentials.json").is_file():
        return "Claude Code login on this computer"
    # On macOS the login is in the keychain. The account entry beside it shows that there is one.
    if sys.platform == "darwin" and (home / ".claude.json").is_file():
        return "Claude Code login on this computer"
    return None


def choose_agent(choice: AgentChoice, environ: Mapping[str, str] | None = None, home: Path | None = None) -> AgentSetup:
    """Return the agent for ``LULU_AGENT``. ``auto`` means Claude with a credential, the demo without."""
    credential = find_credential(os.environ if environ is None else environ, Path.home() if home is None else home)
    if choice == "demo":
        text = (
            "You are using the demo agent. It runs nothing and needs no key. "
            "To use Claude, unset LULU_AGENT and restart Lulu."
        )
        return AgentSetup(kind="demo", credential=credential, explanation=text)
    if choice == "claude" and credential is None:
        text = "Claude is asked for (LULU_AGENT=claude), but no credential was found: set ANTHROPIC_API_KEY or log in."
        return AgentSetup(kind="claude", credential=None, explanation=text)
    if credential is None:
        text = (
            "No Claude credential was found, so you are using the demo agent. It runs nothing and needs no key. "
            "To use Claude, set ANTHROPIC_API_KEY or log in with Claude Code, then restart Lulu."
        )
        return AgentSetup(kind="demo", credential=None, explanation=text)
    text = f"You are using Claude, with: {credential}. To try Lulu without it, set LULU_AGENT=demo and restart Lulu."
    return AgentSetup(kind="claude", credential=credential, explanation=text)
