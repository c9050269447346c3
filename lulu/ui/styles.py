"""Widget keys that tests use, and the CSS that Streamlit's theme and layout options cannot express.

Only constants: no text of an agent, a tool or a person is ever inserted here.
"""

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

CSS = """
/* Text reads best at about 860 px; Streamlit knows 736 px or the whole window. */
.stMainBlockContainer, [data-testid="stBottomBlockContainer"] { max-width: 890px; }

/* The toolbar is empty but for its menu: content begins beside it, not under it. */
.stMainBlockContainer { padding-top: 1rem; padding-bottom: 1rem; }
.stAppHeader { background: transparent; }
.stAppHeader, .stAppHeader div { pointer-events: none; }
.stAppHeader button, .stAppHeader a { pointer-events: auto; }
[data-testid="stBottomBlockContainer"] { padding-top: 0.5rem; padding-bottom: 0.75rem; }
[data-testid="stBottomBlockContainer"] .stVerticalBlock { gap: 0.4rem; }

/* Until first_paint.py says that what is in view has come. Not "visibility": a field can have the focus meanwhile. */
html:not([data-lulu-main]) :has(> .stMain), html:not([data-lulu-beside]) [data-testid="stSidebarUserContent"] {
  opacity: 0;
}
/* Should its script never come. */
html:not([data-lulu-watched]) :is(:has(> .stMain), [data-testid="stSidebarUserContent"]) {
  animation: lulu-show 0s 4s forwards;
}
@keyframes lulu-show { to { opacity: 1; } }
/* Before the client has its theme, the window has the colour that the page will have. */
@media (prefers-color-scheme: dark) { html { background: #14161b; } }

/* What nobody sees takes no room, also before its script has come: Streamlit draws a grey bar in its place. */
:is(.st-key-hub, .st-key-outage, .st-key-links, .st-key-unsent, .st-key-keyboard, .st-key-address, .st-key-marker),
:is(.st-key-drawn, .st-key-drawn_beside),
:is([class*="st-key-bell_"], [class*="st-key-reading_"], [class*="st-key-flow_"]:has([data-testid="stSkeleton"])) {
  position: absolute; width: 0; height: 0; overflow: hidden;
}
:is(.st-key-hub, .st-key-outage, .st-key-links, .st-key-unsent, .st-key-keyboard, .st-key-address, .st-key-marker,
  [class*="st-key-bell_"], [class*="st-key-reading_"], [class*="st-key-flow_"],
  [class*="st-key-now_"]) [data-testid="stSkeleton"] { display: none; }
/* As high as what takes its place. */
[data-testid="stBottom"] .st-key-prompt [data-testid="stSkeleton"] { height: 55px; }
.st-key-share [data-testid="stSkeleton"] { width: 5rem; }
@media (max-width: 1000px) { .st-key-share [data-testid="stSkeleton"] { width: 3rem; } }
/* Its words come a moment after it. */
[class*="st-key-now_"]:not(:has(> :empty)) { min-height: 1.35rem; }

/* A prompt that is on its way. */
.st-key-prompt textarea[data-sending] { opacity: 0.55; }

/* What is only read aloud. */
.lulu-said, .lulu-asked { position: fixed; clip-path: inset(50%); white-space: nowrap; }

/* The key beside a button's word is read on any ground. */
.stButton kbd { color: color-mix(in srgb, currentColor 85%, transparent); opacity: 1; }
.stButton button[kind="primary"] kbd { color: inherit; }

/* Where the keyboard is. */
.stPageLink a:focus-visible { outline: 2px solid light-dark(#4f46e5, #8b8dff); outline-offset: -2px; }
/* A tip of what lies below an open menu would cover it. */
body:has([data-testid="stPopoverBody"]) [data-testid="stTooltipContent"] { display: none; }

/* Good health takes no room. */
[data-testid="stLayoutWrapper"]:has(> .stVerticalBlock .st-key-store_health):not(:has(.stAlert)) { position: absolute; }

/* The header stays in view. Its fragment's wrapper is what can stick: the child of the main column.
   The page's background in either theme, as in .streamlit/config.toml: Streamlit offers no CSS variable for it. */
.stMainBlockContainer > .stVerticalBlock > [data-testid="stLayoutWrapper"]:has(.st-key-session_header) {
  position: sticky; top: 0; z-index: 10; padding-block: 0.75rem 0.5rem; margin-top: -1rem;
  background: light-dark(#ffffff, #14161b); border-bottom: 1px solid color-mix(in srgb, currentColor 10%, transparent);
}
.st-key-session_header h1, .st-key-session_header p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.st-key-session_header .stHorizontalBlock > [data-testid="stLayoutWrapper"]:has(.st-key-share) {
  flex: none; width: auto;
}
.st-key-session_header h1 { padding: 0; font-size: 1.1rem; font-weight: 600; line-height: 1.4; letter-spacing: normal; }
.st-key-session_header [data-testid="stMarkdownContainer"], .st-key-session_header [data-testid="stCaptionContainer"],
.st-key-session_header p { margin-bottom: 0; }
.st-key-session_header code { white-space: nowrap; }

/* What rings the header's fragment stands beside it and takes no room. */
.stVerticalBlock:has(> [data-testid="stLayoutWrapper"] > .st-key-session_header) { gap: 0; }

/* Where the column is nearly as wide as the window, the toolbar's buttons need room: beside a header, and where the
   sidebar leaves none at all, above a page. */
@media (max-width: 1270px) {
  .stMainBlockContainer > .stVerticalBlock > [data-testid="stLayoutWrapper"]:has(.st-key-session_header) {
    padding-inline-end: 2.25rem;
  }
}
@media (max-width: 1000px) {
  /* The title needs the room more than words beside icons do. */
  :is(.st-key-session_menu, .st-key-turns_menu, .st-key-share) button [data-testid="stMarkdownContainer"] {
    position: absolute; clip-path: inset(50%);
  }
  .st-key-session_header .stHorizontalBlock { gap: 0.25rem; }
  .st-key-session_header kbd { display: none; }
  .stMainBlockContainer { padding-top: 3.25rem; }
  .stMainBlockContainer > .stVerticalBlock > [data-testid="stLayoutWrapper"]:has(.st-key-session_header) {
    margin-top: -3.25rem; padding-inline: 2.5rem 2.25rem;
  }
}

/* A guest has no sidebar, and so no button for it. */
@media (max-width: 1000px) {
  .stApp:not(:has([data-testid="stSidebar"]))
    .stMainBlockContainer > .stVerticalBlock > [data-testid="stLayoutWrapper"]:has(.st-key-session_header) {
    padding-inline-start: 0;
  }
}

/* On a phone there are no keys, and the title needs the room. */
@media (max-width: 640px) {
  .stButton kbd { display: none; }

  /* A reason is typed on a line of its own: beside the buttons there is room for two words. */
  [class*="st-key-approval_"] .stElementContainer:has(> .stTextInput) { flex: 1 1 100%; width: 100%; }

  /* Four columns are too many: each row is a block of lines. */
  :is(.st-key-values, .st-key-audit) thead { display: none; }
  :is(.st-key-values, .st-key-audit) :is(table, tbody, tr, td) { display: block; border: 0; }
  :is(.st-key-values, .st-key-audit) tr {
    padding-block: 0.6rem; border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent);
  }
  :is(.st-key-values, .st-key-audit) td { padding: 0.1rem 0; overflow-wrap: anywhere; }
  .st-key-values td:nth-child(3)::before { content: "From: "; }
  .st-key-stop button [data-testid="stMarkdownContainer"] { position: absolute; clip-path: inset(50%); }
}

/* A transcript is text on the page: no avatars, no box round an answer, little air between steps. */
.stChatMessage [data-testid^="stChatMessageAvatar"] { display: none; }
.stChatMessage:not(:has([data-testid="stChatMessageAvatarUser"])) { padding: 0; background: none; }
.stChatMessage:has([data-testid="stChatMessageAvatarUser"]) { padding: 0.75rem 1rem; }
.stChatMessage .stVerticalBlock { gap: 0.5rem; }

/* While what stands above them is on its way, the last words stand where they will stand. */
.st-key-transcript:has(.st-key-bell_earlier) { min-height: calc(100vh - 12rem); justify-content: flex-end; }
/* A turn that is drawn in several parts has the air of one. */
.st-key-transcript > :not(:first-child) > .stVerticalBlock > * > .stVerticalBlock > :first-child > .stVerticalBlock
  > :first-child:has(> .stChatMessage):not(:has([data-testid="stChatMessageAvatarUser"])) { margin-top: -0.5rem; }

/* A page has one heading of the first level, its title, in a size for a page of tools. What agents write begins one
   level below it, and looks as big as its author meant. */
.stHeading h1 { font-size: 1.25rem; padding: 1rem 0; letter-spacing: -0.005em; }
.stHeading h2 { font-size: 1.1rem; padding: 0.75rem 0 1rem; }
:is(.stMarkdown, .lulu-flow) h2 { font-size: 1.5rem; padding: 1.25rem 0 1rem; letter-spacing: normal; }
:is(.stMarkdown, .lulu-flow) h3 { font-size: 1.25rem; padding: 1rem 0; }
:is(.stMarkdown, .lulu-flow) h4 { font-size: 1.1rem; padding: 0.75rem 0 1rem; letter-spacing: -0.005em; }
:is(.stMarkdown, .lulu-flow) h5 { padding: 0.5rem 0 1rem; }
:is(.stMarkdown, .lulu-flow) h6 { padding: 0.375rem 0 1rem; }

/* Each block of text has the direction of its own first letter. */
.stMarkdown :is(p, li, h1, h2, h3, h4, h5, h6, blockquote, td, th), .stText, .stChatInput textarea,
.stTextArea textarea, .stTextInput input { unicode-bidi: plaintext; }

/* A folded line is one line: its label is cut, never wrapped. */
[data-testid="stExpander"] summary [data-testid="stMarkdownContainer"] p {
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}
[data-testid="stExpander"] summary code { white-space: nowrap; }
[data-testid="stExpander"] summary > span { min-width: 0; }
[data-testid="stExpander"] summary > span > div { min-width: 0; }

/* How a call stands is read after the call, and written at the end of its first line, which leaves it room. */
[class*="st-key-line_"], .st-key-checklist { position: relative; }
[data-testid="stLayoutWrapper"]:has(> :is([class*="st-key-outcome_"], .st-key-checklist_progress)) {
  position: absolute; inset: 0 0 auto auto; width: auto; z-index: 1;
}
[class*="st-key-outcome_"] p { margin: 0; padding-top: 0.3rem; }
[class*="st-key-call_"] > .stExpander > details > summary { padding-right: 6rem; }
/* More than a few letters share the line with what was done, on a phone half and half. */
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-outcome_long_"]) { max-width: min(50%, 24rem); }
[class*="st-key-outcome_long_"] p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[class*="st-key-line_"]:has(> * > [class*="st-key-outcome_long_"])
  > [class*="st-key-call_"] > .stExpander > details > summary {
  padding-right: min(50%, 24rem);
}

/* Small print is muted by colour and not by opacity, which would fade status words below AA. */
[data-testid="stCaptionContainer"], [data-testid="stExpander"] summary { opacity: 1; }
[data-testid="stCaptionContainer"], [data-testid="stExpander"] summary [data-testid="stMarkdownContainer"] p {
  color: color-mix(in srgb, currentColor 72%, transparent);
}

/* The buttons over a block of code stay below the header when the block is under it. */
.st-key-transcript .stElementContainer:has(> .stCode) { isolation: isolate; }

/* A command and what it wrote are one console: the gap of a message's parts would part them. */
.stChatMessage .stVerticalBlock[class*="st-key-console_"] { gap: 0; }
[class*="st-key-console_"] > .stElementContainer:has(> .stCode) + .stElementContainer > .stCode pre {
  border-top-left-radius: 0; border-top-right-radius: 0;
}
[class*="st-key-console_"] > .stElementContainer:has(> .stCode):has(+ .stElementContainer > .stCode) pre {
  border-bottom-left-radius: 0; border-bottom-right-radius: 0; padding-bottom: 0;
}
[class*="st-key-console_"] > .stElementContainer:has(+ .stElementContainer > .stCode) code.language-bash::before {
  content: "$ "; opacity: 0.7;
}

/* Arguments are small print. */
[class*="st-key-table_"] :is(th, td) { padding: 0.15rem 0.6rem; font-size: 0.85rem; font-weight: 400; }

/* Streamlit's colours of code are the same in light and dark, and too faint on a light ground. The theme's own. */
.stCode .token:is(.inserted, .string, .attr-value, .char, .selector) { color: light-dark(#156b3e, #6bd49b); }
.stCode .token:is(.deleted, .important, .regex, .symbol) { color: light-dark(#b3202c, #ff949b); }
.stCode .token:is(.number, .boolean, .constant, .operator, .entity, .variable) { color: light-dark(#a3460c, #f7a873); }
.stCode .token:is(.keyword, .function, .property, .atrule, .builtin, .tag, .class-name, .attr-name, .title, .url) {
  color: light-dark(#4338ca, #a5b0ff);
}
.stCode .token:is(.comment, .punctuation, .coord, .unchanged, .prolog, .doctype, .cdata) {
  color: light-dark(#5b6270, #a9b0bc);
}
/* Streamlit colours the lines of a diff by four classes of its own. */
.stCode .token.token.token.inserted { color: light-dark(#156b3e, #6bd49b); }
.stCode .token.token.token.deleted { color: light-dark(#b3202c, #ff949b); }
.stCode .token.token.token.unchanged { color: inherit; }
.stCode .token.inserted { background: light-dark(#e7f6ed, #15301f); }
.stCode .token.deleted { background: light-dark(#fdecee, #3d1b20); }

/* The checklist stands above the prompt box; how far it is stands at the end of its line. */
[data-testid="stLayoutWrapper"]:has(> .st-key-checklist_progress) { max-width: calc(100% - 9rem); }
.st-key-checklist_progress p {
  margin: 0; padding-top: 0.3rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}
.st-key-checklist [data-testid="stExpanderDetails"] { max-height: 22vh; overflow-y: auto; }

/* Two hundred steps of a plan, or a checklist as long. */
[class*="st-key-scrolling_"] { max-height: 60vh; overflow-y: auto; }
/* Numbers of three digits are wider than the room that Streamlit leaves them. */
.stMarkdown ol:is(:has(> li:nth-child(100)), [start]) { padding-inline-start: 1rem; }

/* What a sub-agent did is set off from what the agent did. */
[class*="st-key-thread_"] {
  border-left: 2px solid color-mix(in srgb, currentColor 15%, transparent); padding-left: 1rem;
}

/* A turn that a link leads to stands below the header; a row of their list is two lines, as in the sidebar. */
[class*="st-key-at_"] { scroll-margin-top: 5.5rem; }
/* When a prompt was sent: small print beside it. */
[class*="st-key-at_"] > .stElementContainer:last-child .stText {
  font-size: 0.875rem; line-height: 1.7; color: color-mix(in srgb, currentColor 72%, transparent);
}
.st-key-turns .stPageLink a { padding: 0.35rem 0.6rem; }
.st-key-turns .stPageLink p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; line-height: 1.35; }
.st-key-turns .stPageLink p > span:last-child { display: block; }
.st-key-turns .stPageLink a > span, .st-key-turns .stPageLink a > span > div { min-width: 0; }

/* A card's link begins where its text does. */
:is(.st-key-cards, .st-key-cut_off) .stPageLink a { padding-left: 0; background: transparent; }

/* An icon for the eye, the word for a screen reader. */
.st-key-filters button p { position: absolute; clip-path: inset(50%); }

/* An empty group takes no room, and a count makes no line higher. */
[data-testid="stLayoutWrapper"]:has(> .st-key-needs_you) { margin-bottom: -1rem; }
.st-key-pages .stPageLink a { height: 2.25rem; }

/* The sidebar: less air on top, and rows of two lines. */
/* The name stands in the sidebar; beside a closed one it would lie on a session's title. */
[data-testid="stHeaderLogo"] { display: none; }
div:has([data-testid="stHeaderLogo"]) + div:has(> [data-testid="stExpandSidebarButton"]) { margin-left: 0; }
[data-testid="stSidebarHeader"] { height: 2.5rem; margin-bottom: 0; padding-block: 0.25rem; }
[data-testid="stSidebarContent"] [data-testid="stElementContainer"]:has(> .stPageLink) { margin: 1px 0; }
[data-testid="stSidebarContent"] .stPageLink a { padding: 0.35rem 0.6rem; margin: 0; }
/* The event that a link leads to. */
.st-key-marked { border-inline-start: 3px solid light-dark(#4f46e5, #8b8dff); padding-inline-start: 0.75rem; }
"""


#: Inserted into the first HTML answer (``server/first_answer.py``), so that it applies before the first run.
STYLE = f"<style>{CSS}</style>"
