"""One look for each tool. Tool data is code or plain text, never markdown.

A module registers the looks of its tools when it is imported, which happens here.
"""

from lulu.ui.looks import files, people, shell, web
from lulu.ui.looks.registry import GENERIC, LOOKS, Look, look_of, title_of

__all__ = ["GENERIC", "LOOKS", "Look", "files", "look_of", "people", "shell", "title_of", "web"]
