"""One look for each tool. Tool data is drawn as code or plain text, never as markdown.

Importing this package imports the modules below, and each of them registers the looks of its tools.
"""

from lulu.ui.tools import files, interactive, shell, web
from lulu.ui.tools.registry import GENERIC, LOOKS, Look, look_of, title_of

__all__ = ["GENERIC", "LOOKS", "Look", "files", "interactive", "look_of", "shell", "title_of", "web"]
