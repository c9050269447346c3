"""The agent's side: the only package that imports claude_agent_sdk."""

from lulu.agent.client import Agent, AgentSpec, TranscriptMissing
from lulu.agent.credentials import AgentSetup, choose_agent
from lulu.agent.permissions import PermissionAnswer, PermissionRequest
from lulu.agent.translate import Translation, TurnEnd

__all__ = [
    "Agent",
    "AgentSetup",
    "AgentSpec",
    "PermissionAnswer",
    "PermissionRequest",
    "TranscriptMissing",
    "Translation",
    "TurnEnd",
    "choose_agent",
]
