"""The built-in demo agent: scripted sessions for trying Lulu without a key, and for tests.

It sends the CLI's frames through the SDK's ``transport=`` seam. Every file and every output is invented; it runs and
changes nothing.
"""

from lulu.agent.demo.scripts import Script, scripts
from lulu.agent.demo.transport import DemoTransport

__all__ = ["DemoTransport", "Script", "scripts"]
