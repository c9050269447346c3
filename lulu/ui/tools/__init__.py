"""One look for each tool. Tool data is code or plain text, never markdown.

A module registers the looks of its tools when it is imported, which happens here.
"""

from lulu.ui.tools import files, interactive, shell, web
from lulu.ui.tools.registry import GENERIC, LOOKS, Look, look_of, title_of

__all__ = ["GENERIC", "LOOKS", "Look", "files", "interactive", "look_of", "shell", "title_of", "web"]
