"""What reaches a person who does not look: a browser notification, and the tab's title.

Both live in the browser. The title always says how many sessions wait, and marks the one that is shown. Notifications
are off until somebody turns them on there; that is asked once, beside the first session that was started, and kept in
that browser only.
"""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.text.labels import one_line
from lulu.ui.state import state

#: Sessions that are told of, those at work and those that were.
_WATCHED = 30

#: How a change is told, for each status that somebody wants to hear of.
_WORDS = {
    SessionStatus.WAITING: "waits for you",
    SessionStatus.COMPLETED: "is done",
    SessionStatus.FAILED: "failed",
}

SIGNALS_HTML = (
    '<div class="ask" hidden>'
    '<span class="words"></span> <button class="yes" type="button"></button> <button class="no" type="button"></button>'
    "</div>"
)

SIGNALS_CSS = """
.ask { font-size: 0.8rem; line-height: 1.6; color: var(--st-text-color); }
button {
  font: inherit; color: var(--st-text-color); background: none; cursor: pointer; padding: 0.1rem 0.6rem;
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 0.4rem;
}
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""

# One memory for the tab: a component is made anew with every page.
SIGNALS_JS = (
    f"const WAITING = {SessionStatus.WAITING.value!r};"
    r"""
const CHOICE = "lulu-notifications", ASKED = "lulu-notifications-asked";
const memory = (window.luluSignals ??= {
  known: new Map(), begun: false, waiting: 0, news: null, plain: "", shown: null, started: false,
});

function kept(name) { try { return localStorage.getItem(name); } catch { return "off"; } }
function keep(name, value) { try { localStorage.setItem(name, value); } catch { /* a private window keeps nothing */ } }
const choice = () => kept(CHOICE), choose = (value) => keep(CHOICE, value);
const canNotify = () => "Notification" in window;

// Before the title that Streamlit gives the page: how many wait, whether the one that is shown does, and the last news
// until somebody looks.
function retitle() {
  if (document.title !== memory.shown) memory.plain = document.title;
  const isOn = choice() === "on";
  const number = memory.waiting > 0 ? `(${memory.waiting}) ` : "";
  const isShown = location.pathname.endsWith("/session");
  const mark = isShown && memory.known.get(new URLSearchParams(location.search).get("id")) === "waiting" ? "● " : "";
  const { title, words } = memory.news ?? {};
  const news = !isOn || !title ? mark + memory.plain
    : title === memory.plain ? `${title} ${words}` : `${title} ${words} · ${memory.plain}`;
  memory.shown = number + news;
  if (document.title !== memory.shown) document.title = memory.shown;
}

function start() {
  if (memory.started) return;
  memory.started = true;
  // Read aloud when its words change: what waits elsewhere. Of the session that is shown, activity_line.py says more.
  memory.said = Object.assign(document.createElement("div"), { className: "lulu-said", role: "status" });
  document.body.append(memory.said);
  window.addEventListener("focus", () => { memory.news = null; retitle(); });
  new MutationObserver(retitle).observe(document.head, { subtree: true, childList: true, characterData: true });
}

function tell(sessions, open) {
  for (const { id, status, title, words } of sessions) {
    const before = memory.known.get(id);
    memory.known.set(id, status);
    // What was there when the tab opened is no news.
    if ((before === undefined && !memory.begun) || before === status || !words) continue;
    if (status === WAITING && id !== open)
      memory.said.textContent = `${title} ${words}.${memory.waiting > 1 ? ` ${memory.waiting} sessions wait.` : ""}`;
    if (choice() !== "on") continue;
    if (document.hasFocus()) continue;
    memory.news = { title, words };
    if (canNotify() && Notification.permission === "granted") {
      const note = new Notification(title, { body: words, tag: id });
      note.onclick = () => { window.focus(); location.href = `/session?id=${encodeURIComponent(id)}`; };
    }
  }
  memory.begun = true;
}

export default function ({ data, parentElement }) {
  start();
  if (data.sessions) { memory.waiting = data.waiting; tell(data.sessions, data.open); retitle(); }
  if (data.started && !kept(ASKED)) keep(ASKED, data.started);
  const box = parentElement.querySelector(".ask");
  const [words, yes, no] = [".words", ".yes", ".no"].map((name) => box.querySelector(name));
  const isOn = choice() === "on" && canNotify() && Notification.permission === "granted";
  const draw = () => {
    const asked = choice() !== null;
    box.hidden = !canNotify() || !(data.always || (!asked && data.started && kept(ASKED) === data.started));
    words.textContent = choice() === "on" ? "You get a notification when a session needs you, finishes or fails."
      : "Get a notification when a session needs you, finishes or fails?";
    yes.textContent = "Allow"; yes.hidden = choice() === "on";
    no.textContent = choice() === "on" ? "Turn off" : "Not now"; no.hidden = choice() === "off";
  };
  yes.onclick = async () => {
    choose((await Notification.requestPermission()) === "granted" ? "on" : "off"); retitle(); draw();
  };
  no.onclick = () => { choose("off"); retitle(); draw(); };
  if (choice() === "on" && !isOn) choose("off");
  draw();
}
"""
)

_mount = st.components.v2.component("lulu_signals", html=SIGNALS_HTML, css=SIGNALS_CSS, js=SIGNALS_JS)


def show(lulu: Runtime, open_id: str | None) -> None:
    """Tell the browser how the sessions stand that work or did; it notices by itself what has changed.

    Beside the first of them that is ``open_id`` it asks whether it shall tell.
    """
    sessions = _watched(lulu)
    told = [
        {
            "id": session.id,
            "status": session.status,
            "title": one_line(session.name),
            "words": _WORDS.get(session.known_status, "") if session.known_status else "",
        }
        for session in sessions
    ]
    waiting = sum(session.known_status is SessionStatus.WAITING for session in sessions)
    started = open_id if any(session.id == open_id for session in sessions) else None
    _mount(
        key="signals",
        data={"sessions": told, "waiting": waiting, "started": started, "open": open_id},
        height="content",
    )


def _watched(lulu: Runtime) -> list[Session]:
    """What works now, and what this tab has seen at work: a filter of the list must not keep the end from anybody."""
    found: dict[SessionId, Session] = {session.id: session for session in lulu.store.sessions.live()}
    for session_id in state().watched:
        if session_id not in found:
            try:
                found[session_id] = lulu.store.sessions.get(session_id)
            except SessionNotFound:
                continue
    earlier = [session_id for session_id in state().watched if session_id in found]
    state().watched = list(dict.fromkeys([*earlier, *found]))[-_WATCHED:]
    return list(found.values())


def show_switch() -> None:
    """Draw the question always, to change an earlier answer."""
    _mount(key="signals_switch", data={"always": True}, height="content")
