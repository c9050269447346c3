"""Widget keys that tests use, the icon and the logo: constants only."""

from __future__ import annotations

# Streamlit turns a key into the CSS class ``st-key-<key>``.
PROMPT = "prompt"
NEW_SESSION = "new_session"
SESSION_LIST = "session_list"
#: The group above it that repeats the sessions that wait for a person.
NEEDS_YOU = "needs_you"
SESSION_SEARCH = "session_search"
TRANSCRIPT = "transcript"
#: The bell of the earlier part of a transcript, for its second run.
EARLIER = "earlier"
LIVE_TEXT = "live_text"
SESSION_HEADER = "session_header"
STOP = "stop"
LOAD_EARLIER = "load_earlier"
CWD = "cwd"
MODEL = "model"
PERMISSION_MODE = "permission_mode"
# Keys of Lulu's own elements.
TITLE = "title"
COMPOSER = "composer"
PAGES = "pages"
EXAMPLES = "examples"
CARDS = "cards"
TURNS = "turns"
SEARCH_RESULTS = "search_results"
MARKED = "marked"
INBOX = "inbox"
AS_DRAFT = "as_draft"
STORE_HEALTH = "store_health"
TRUST = "trust"
VALUES = "values"
CHECKLIST = "checklist"

#: The browser tab's icon, as SVG text: Streamlit would load a Material icon from Google.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" fill="#4f46e5"/>'
    '<path d="M11 8v14h11" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>'
    "</svg>"
)

#: The name beside the icon, in a colour that is readable on light and on dark.
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="92" height="32" viewBox="0 0 92 32"><circle cx="16" cy="16" r="14" '
    'fill="#4f46e5"/><path d="M11 8v14h11" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" '
    'stroke-linejoin="round"/><text x="38" y="23" font-family="sans-serif" font-size="20" font-weight="600" '
    'fill="#6c6ff0">Lulu</text></svg>'
)
