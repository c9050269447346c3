"""The rows of the session list: one component for all of them.

Fifty of Streamlit's own links cost the server and the browser more than a transcript does, at every run of a page. A
click changes the address and says so as Back and Forward do, which Streamlit's client follows without a reload.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

import streamlit as st

from lulu.sessions import Session
from lulu.ui import keyboard, wording
from lulu.ui.text import one_line

_CSS = """
ul { list-style: none; margin: 0; padding: 0; }
a {
  display: block; margin: 0.125rem 0; padding: 0.15rem 0.5rem; border-radius: 0.5rem; text-decoration: none;
  color: var(--st-text-color); line-height: 1.35;
}
a:hover { background: color-mix(in srgb, currentColor 6%, transparent); }
a:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
a[aria-current] { background: color-mix(in srgb, currentColor 10%, transparent); }
a[aria-current] .title { font-weight: 600; }
a > span { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.details { font-size: 0.875em; }
.more { color: var(--st-gray-text-color); }
.pin { font-family: "Material Symbols Rounded"; font-feature-settings: "liga"; vertical-align: -0.15em; }
.name { position: absolute; clip-path: inset(50%); }
[hidden] { display: none; }
"""

_HTML = (
    '<ul></ul><template><li><a><span class="title"><span class="pin" aria-hidden="true" hidden>keep</span>'
    '<span class="name" hidden>Pinned:</span> <span class="text"></span></span>'
    '<span class="details"><span class="status"></span><span class="more"></span></span></a></li></template>'
)

# Rows are kept and changed in place, so that focus, hover and a click under way survive a new list.
_JS = (
    f"const NEXT = {keyboard.NEXT!r}, PREVIOUS = {keyboard.PREVIOUS!r};"
    f"{keyboard.IS_KEY}"
    r"""
// A list that was on its way when a row was clicked names the row before; it is not believed for so long (ms).
const LEADING = 5000;
let shown = null, clicked = null, clickedAt = 0;

function openRow(told) {
  if (told === clicked || !location.search.includes(clicked)) clicked = null;
  return clicked !== null && performance.now() < clickedAt + LEADING ? clicked : told;
}

// To the row below the open one, or above it; to the first where none of them is open.
window.addEventListener("keydown", (event) => {
  const step = isKey(event, NEXT) ? 1 : isKey(event, PREVIOUS) ? -1 : 0;
  if (step === 0 || !shown?.isConnected) return;
  event.preventDefault();
  const links = [...shown.querySelectorAll("a")];
  const open = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[open < 0 ? 0 : open + step]?.click();
}, true);

function follow(event) {
  const link = event.currentTarget;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  for (const other of link.closest("ul").querySelectorAll("a[aria-current]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "page");
  clicked = link.parentElement.dataset.id;
  clickedAt = performance.now();
  if (location.href === link.href) return;
  history.pushState({}, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

function write(element, text) { if (element.textContent !== text) element.textContent = text; }

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector("ul");
  const blank = parentElement.querySelector("template").content.firstElementChild;
  const known = new Map(Array.from(list.children, (row) => [row.dataset.id, row]));
  const open = openRow(data.open);
  let place = list.firstElementChild;
  for (const { id, title, pinned, status, colour, more } of data.rows) {
    const row = known.get(id) ?? blank.cloneNode(true);
    known.delete(id);
    const link = row.firstElementChild;
    if (!row.dataset.id) {
      row.dataset.id = id;
      link.href = "session?id=" + encodeURIComponent(id);
      link.onclick = follow;
    }
    write(row.querySelector(".text"), title);
    write(row.querySelector(".status"), "● " + status);
    write(row.querySelector(".more"), " · " + more);
    row.querySelector(".status").style.color = `var(--st-${colour}-text-color)`;
    for (const mark of row.querySelectorAll(".pin, .name")) mark.hidden = !pinned;
    if (id === open) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    if (row === place) place = place.nextElementSibling; else list.insertBefore(row, place);
  }
  for (const gone of known.values()) gone.remove();
  shown = list;
}
"""
)

_mount = st.components.v2.component("lulu_session_list", html=_HTML, css=_CSS, js=_JS)


def show(sessions: Iterable[Session], open_id: str | None) -> None:
    """Draw a link to each session; the one that the page shows is marked."""
    rows = [
        {
            "id": session.id,
            "title": one_line(session.name),
            "pinned": session.pinned_at is not None,
            "status": one_line(session.status) or "no status",
            "colour": wording.colour(session),
            "more": wording.line(
                wording.on_hold(session), _folder(session.working_directory), wording.age(session.active_at)
            ),
        }
        for session in sessions
    ]
    _mount(key="session_rows", data={"rows": rows, "open": open_id}, height="content")


def _folder(path: str | None) -> str:
    return one_line(PurePath(path).name or path) if path else ""
