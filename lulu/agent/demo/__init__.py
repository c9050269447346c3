"""The built-in demo agent: scripted sessions for those who have no key yet, and for tests.

It speaks the CLI's frames behind the SDK's ``transport=`` seam, invents every file and every output, runs nothing
and touches nothing.
"""

from lulu.agent.demo.scripts import Script, scripts
from lulu.agent.demo.transport import DemoTransport

__all__ = ["DemoTransport", "Script", "scripts"]
