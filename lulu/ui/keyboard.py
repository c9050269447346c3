"""Which keys do what: one list, read by the buttons that have them and by the help page."""

from __future__ import annotations

# Letters that no browser and no menu of one has taken together with Alt.
NEW = "Alt+N"
INBOX = "Alt+I"
NEXT = "Alt+J"
PREVIOUS = "Alt+K"
STOP = "Alt+Q"
APPROVE = "Alt+Y"
DENY = "Alt+X"
#: Handled in the browser: a button cannot put the cursor into a field.
SEARCH = "/"

#: What each does, in the order in which the help page tells it.
MEANINGS: dict[str, str] = {
    NEW: "New session",
    SEARCH: "Search sessions",
    INBOX: "Inbox",
    NEXT: "Next session of the list",
    PREVIOUS: "Previous session of the list",
    STOP: "Stop the session that is shown",
    APPROVE: "Approve the first request in view",
    DENY: "Deny the first request in view",
    "Enter": "Send the prompt; Shift+Enter begins a new line",
}
