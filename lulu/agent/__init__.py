"""Agents: the only package that imports claude_agent_sdk.

``Agent`` itself is imported from ``lulu.agent.client`` only when the first one is created. The SDK takes a second to
import, and pages can be served before that.
"""

from lulu.agent.credentials import AgentSetup, choose_agent
from lulu.agent.session_files import Unreadable, parents, running_total
from lulu.agent.spec import (
    ELICITATION,
    AgentSpec,
    Ask,
    ConversationExists,
    Gate,
    PermissionAnswer,
    PermissionRequest,
    ResumeRefused,
    TranscriptMissing,
)
from lulu.agent.stream.translate import Translation, TurnEnd

__all__ = [
    "ELICITATION",
    "AgentSetup",
    "AgentSpec",
    "Ask",
    "ConversationExists",
    "Gate",
    "PermissionAnswer",
    "PermissionRequest",
    "ResumeRefused",
    "TranscriptMissing",
    "Translation",
    "TurnEnd",
    "Unreadable",
    "choose_agent",
    "parents",
    "running_total",
]
