"""The rows of the session list and of the group above it: one component draws all rows of each.

Fifty of Streamlit's own links cost the server and the browser more than a transcript does, at every run of a page. A
click changes the address and sends ``popstate``, as Back and Forward do. Streamlit's client follows without a reload.

While the pointer or the focus is inside the list, rows keep their places and only their text changes. The new order is
drawn as soon as both are outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

import streamlit as st

from lulu.model.sessions import Session
from lulu.text.labels import one_line
from lulu.ui import formats
from lulu.ui.browser import keyboard

#: Rows of the group above the list; the inbox has the other waiting sessions.
MOST_WAITING = 10

_CSS = """
.heading { margin: 0; padding: 0.25rem 0.5rem 0; font-size: 0.875em; font-weight: 600; color: var(--st-text-color); }
.rest { font-size: 0.875em; }
.box[data-kind=waiting]:has(li) { padding-bottom: 0.5rem; }
ul { list-style: none; margin: 0; padding: 0; }
a {
  display: block; margin: 0.125rem 0; padding: 0.15rem 0.5rem; border-radius: 0.5rem; text-decoration: none;
  color: var(--st-text-color); line-height: 1.35;
}
a:hover { background: color-mix(in srgb, currentColor 6%, transparent); }
a:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
a[aria-current] { background: color-mix(in srgb, currentColor 10%, transparent); }
a[aria-current] .title { font-weight: 600; }
a > span { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; unicode-bidi: plaintext; }
.details { font-size: 0.875em; }
.more { color: var(--st-gray-text-color); }
.pin { font-family: "Material Symbols Rounded"; font-feature-settings: "liga"; vertical-align: -0.15em; }
.name { position: absolute; clip-path: inset(50%); }
[hidden] { display: none; }
"""

_HTML = (
    '<div class="box"><p class="heading" role="heading" aria-level="2" hidden></p><ul></ul></div>'
    '<template><li><a><span class="title"><span class="pin" aria-hidden="true" hidden>keep</span>'
    '<span class="name" hidden>Pinned:</span> <span class="text"></span></span>'
    '<span class="details"><span class="status"></span><span class="more"></span></span></a></li></template>'
)

# Rows are changed in place, so that focus, hover and a click under way survive a new list.
_JS = (
    f"const NEXT = {keyboard.NEXT!r}, PREVIOUS = {keyboard.PREVIOUS!r};"
    f"{keyboard.IS_KEY}"
    r"""
// A list that was on its way when a row was clicked names the row before; it is not believed for so long (ms).
const LEADING = 5000;
// A list that was just left is drawn anew after this (ms): the pointer may be on its way from one to the other. A tap
// becomes a click this long after the finger has left.
const LEFT = 150, TAPPED = 400;

// One memory for both lists and for the tab: a component is made anew with every page.
function makeMemory() {
  const lists = new Map();
  let isHovered = false, tappedAt = -Infinity, timer;

  const isInside = (event) => event.composedPath().some((node) => node.classList?.contains("lulu-rows"));
  const hasFocus = () => [...lists.values()].some(({ box }) => box.isConnected && box.querySelector(":focus-visible"));
  const isHeld = () => isHovered || performance.now() < tappedAt + TAPPED || hasFocus();
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(settle, wait); };
  function settle() {
    if (isHeld()) return;
    for (const shown of lists.values()) if (shown.waits && shown.box.isConnected) draw(shown);
  }
  function hover(is) {
    if (is === isHovered) return;
    isHovered = is;
    if (!is) later(LEFT);
  }
  // A finger does not hover. Heard in the window: a row that is taken away is left without an event of its own.
  window.addEventListener("pointermove", (event) => hover(event.pointerType !== "touch" && isInside(event)), true);
  document.documentElement.addEventListener("pointerleave", () => hover(false));
  window.addEventListener("focusout", () => later(0), true);
  for (const kind of ["pointerdown", "pointerup"]) {
    window.addEventListener(kind, (event) => {
      if (event.pointerType !== "touch" || !isInside(event)) return;
      tappedAt = performance.now();
      later(TAPPED + 1);
    }, true);
  }
  // To the row below the open one, or above it; to the first where none of them is open.
  window.addEventListener("keydown", (event) => {
    const step = isKey(event, NEXT) ? 1 : isKey(event, PREVIOUS) ? -1 : 0;
    const box = lists.get("all")?.box;
    if (step === 0 || !box?.isConnected) return;
    event.preventDefault();
    window.luluBrowsedAt = performance.now();
    const links = [...box.querySelectorAll("li a")];
    const open = links.findIndex((link) => link.hasAttribute("aria-current"));
    links[open < 0 ? 0 : open + step]?.click();
  }, true);

  function draw(shown) {
    const { box, data } = shown;
    Object.assign(shown, { rows: data.rows, asked: data.asked, waits: false });
    drawRows(box, data, data.rows);
  }

  return {
    clicked: null,
    clickedAt: 0,
    isDrawn: () => lists.has("all"),
    take(box, data) {
      const before = lists.get(data.kind);
      const shown = { rows: [], asked: null, ...before, box, data };
      lists.set(data.kind, shown);
      // What somebody has asked for is there at once: another search, or a session that is not among these.
      const isNew = (id) => id === data.open && id !== before?.data.open && !shown.rows.some((row) => row.id === id);
      if (!isHeld() || data.asked !== shown.asked || data.rows.some(({ id }) => isNew(id))) return draw(shown);
      const told = new Map(data.rows.map((row) => [row.id, row]));
      shown.rows = shown.rows.map((row) => told.get(row.id) ?? row);
      shown.waits = true;
      drawRows(box, data, shown.rows);
    },
  };
}

const memory = (window.luluRows ??= makeMemory());

function openRow(told) {
  if (told === memory.clicked || !location.search.includes(memory.clicked)) memory.clicked = null;
  return memory.clicked !== null && performance.now() < memory.clickedAt + LEADING ? memory.clicked : told;
}

function follow(event) {
  const link = event.currentTarget;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  for (const other of link.getRootNode().querySelectorAll("a[aria-current]")) other.removeAttribute("aria-current");
  const id = link.parentElement.dataset.id;
  if (id) {
    link.setAttribute("aria-current", "page");
    memory.clicked = id;
    memory.clickedAt = performance.now();
  }
  if (location.href === link.href) return;
  history.pushState({}, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function drawRows(box, data, rows) {
  const list = box.querySelector("ul");
  const blank = box.parentNode.querySelector("template").content.firstElementChild;
  const known = new Map(Array.from(list.children, (row) => [row.dataset.id, row]));
  const open = openRow(data.open);
  let place = list.firstElementChild;
  for (const { id, title, hint, pinned, status, colour, more } of rows) {
    const row = known.get(id) ?? blank.cloneNode(true);
    known.delete(id);
    const link = row.firstElementChild;
    if (!row.dataset.id) {
      row.dataset.id = id;
      link.href = "session?id=" + encodeURIComponent(id);
      link.onclick = follow;
    }
    if (link.title !== hint) link.title = hint;
    write(row.querySelector(".text"), title);
    write(row.querySelector(".status"), "● " + status);
    write(row.querySelector(".more"), " · " + more);
    row.querySelector(".status").style.color = `var(--st-${colour}-text-color)`;
    for (const mark of row.querySelectorAll(".pin, .name")) mark.hidden = !pinned;
    if (id === open) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    if (row === place) place = place.nextElementSibling; else list.insertBefore(row, place);
  }
  for (const gone of known.values()) gone.remove();
  const heading = box.querySelector(".heading");
  write(heading, (rows.length > 0 && data.heading) || "");
  heading.hidden = heading.textContent === "";
  // A link only where it leads on: every other link of the list is a session.
  const rest = box.querySelector(".rest") ?? document.createElement("a");
  write(rest, (rows.length > 0 && data.rest) || "");
  if (rest.textContent === "") rest.remove();
  else if (!rest.isConnected) box.append(Object.assign(rest, { className: "rest", href: "inbox", onclick: follow }));
}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".box");
  box.classList.add("lulu-rows");
  box.dataset.kind = data.kind;
  memory.take(box, data);
}
"""
)

_mount = st.components.v2.component("lulu_session_list", html=_HTML, css=_CSS, js=_JS)
_mount_waiting = st.components.v2.component("lulu_needs_you", html=_HTML, css=_CSS, js=_JS)


def show(sessions: Iterable[Session], open_id: str | None, *, asked: str) -> None:
    """Draw a link to each session. The one with ``open_id`` is marked; ``asked`` is ``filters.asked``."""
    data = {"kind": "all", "rows": [_row(session) for session in sessions], "open": open_id, "asked": asked}
    _mount(key="session_rows", data=data, height="content")


def show_waiting(sessions: Sequence[Session], open_id: str | None) -> None:
    """Draw a link to each waiting session, below a heading with their number. Draws no heading for none.

    The list below has these sessions, too, each in its usual place.
    """
    more = len(sessions) - MOST_WAITING
    data = {
        "kind": "waiting",
        "rows": [_row(session) for session in sessions[:MOST_WAITING]],
        "open": open_id,
        "asked": "",
        "heading": f"Needs you ({len(sessions)})" if sessions else "",
        "rest": f"{more} more in the inbox" if more > 0 else "",
    }
    _mount_waiting(key="waiting_rows", data=data, height="content")


def _row(session: Session) -> dict[str, object]:
    title = one_line(session.name)
    return {
        "id": session.id,
        "title": title,
        "hint": f"{title}\nCreated {formats.clock(session.created_at)}",
        "pinned": session.pinned_at is not None,
        "status": one_line(session.status) or "no status",
        "colour": formats.colour(session),
        "more": formats.line(
            formats.on_hold(session), _folder(session.working_directory), formats.age(session.active_at)
        ),
    }


def _folder(path: str | None) -> str:
    return one_line(PurePath(path).name or path) if path else ""
