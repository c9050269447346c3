"""Which agent can work here: looks only whether a credential exists, never inside one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lulu.settings import AgentChoice

AgentKind = Literal["claude", "demo"]

#: Environment variables that Claude Code takes a credential or a provider from, and what the page calls them.
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
    """The agent that new sessions get, and why."""

    kind: AgentKind
    #: What kind of credential is used, never its value; nothing where none was found.
    credential: str | None
    #: One or two sentences for the page: which agent is at work, and how to switch.
    explanation: str


def find_credential(environ: Mapping[str, str], home: Path) -> str | None:
    """What kind of credential Claude Code would find, or nothing."""
    for variable, name in _VARIABLES.items():
        if environ.get(variable, "").strip():
            return name
    config = Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    if (config / ".credentials.json").is_file():
        return "Claude Code login on this computer"
    # On macOS the login lies in the keychain; the account entry beside it is the sign that there is one.
    if sys.platform == "darwin" and (home / ".claude.json").is_file():
        return "Claude Code login on this computer"
    return None


def choose_agent(choice: AgentChoice, environ: Mapping[str, str] | None = None, home: Path | None = None) -> AgentSetup:
    """The agent for ``LULU_AGENT``: as asked, or with ``auto`` Claude where there is a credential, else the demo."""
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
