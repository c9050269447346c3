"""A page that is opened is shown when what is in view has come: until then parts take each other's places, unseen.

Streamlit's client draws a page in many steps, and each would move what stands below it. What is not in view yet can be
focused and written in all the same. The rule that hides it is one of ``styles``', and ends by itself
should this script never come.
"""

from __future__ import annotations

import base64
import hashlib

import streamlit as st

from lulu.ui import styles

#: The end of the page's own part, which stands before the sidebar's, and the end of the sidebar's.
_DRAWN, _BESIDE = "drawn", "drawn_beside"

_JS = (
    "(() => {"
    f"const DRAWN = '.st-key-{_DRAWN}', BESIDE = '.st-key-{_BESIDE}';"
    r"""
const MAIN = "[data-testid=stMain]", SIDEBAR = "[data-testid=stSidebar]", READING = "[class*='st-key-reading_']";
const ROWS = ".st-key-session_rows", ANYTHING = "[data-testid=stMain] [data-testid=stElementContainer]";
// Where nothing has come for so long (ms), what is missing is not waited for. What is above and below a transcript has
// its room already, and the last words do not wait for it.
const PATIENCE = 3000, ROOMY = ".st-key-session_header, [data-testid=stBottom]";

function isInView(node) {
  const box = node.getBoundingClientRect();
  return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
}
const coming = (part) => [...document.querySelectorAll(`${part} [data-testid=stSkeleton]`)].filter(
  (node) => isInView(node) && !node.closest(ROOMY)).length;
const isListed = () => !document.querySelector(ROWS) || window.luluRows?.isDrawn();

// Reading begins at the end, unless its own script has a place to come back to, or an event to lead to.
const query = new URLSearchParams(location.search), id = query.get("id");
let isAtEnd = id !== null && !query.has("event");
try { isAtEnd &&= sessionStorage.getItem(`lulu-read:${id}`) === null; } catch { isAtEnd = false; }
const isRead = () => window.luluReading?.isPlaced() || !document.querySelector(READING);
for (const type of ["wheel", "touchstart", "keydown", "pointerdown"])
  addEventListener(type, () => { isAtEnd = false; }, { capture: true, passive: true, once: true });
function isPlaced() {
  if (isRead()) return true;
  const main = isAtEnd && document.querySelector(MAIN);
  if (main) main.scrollTop = main.scrollHeight;
  return Boolean(main);
}

const shown = document.documentElement.dataset;
let before = "", since = 0;
shown.luluWatched = "";
function look() {
  const isReady = document.fonts.status === "loaded";
  const isDrawn = document.querySelector(DRAWN) !== null && isPlaced(), inMain = coming(MAIN);
  const isBeside = document.querySelector(BESIDE) !== null && isListed(), inSidebar = coming(SIDEBAR);
  const now = [isReady, isDrawn, inMain, isBeside, inSidebar].join();
  if (now !== before || !document.querySelector(ANYTHING)) { before = now; since = performance.now(); }
  const isLate = performance.now() > since + PATIENCE;
  if (isLate || (isReady && isDrawn && inMain === 0)) shown.luluMain = "";
  if (isLate || (isReady && isBeside && inSidebar === 0)) shown.luluBeside = "";
  const isWhole = shown.luluMain !== undefined && shown.luluBeside !== undefined;
  if (!isWhole || (!isRead() && !isLate)) requestAnimationFrame(look);
}
look();
})();
"""
)
#: What stands before a page in the answer that it begins with.
HEAD = f"{styles.STYLE}<script>{_JS}</script>"
#: The source of this one script in a Content-Security-Policy.
SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_JS.encode()).digest()).decode()}'"


def end_page() -> None:
    """Say that all of the page's own part stands above."""
    _end(_DRAWN)


def end_sidebar() -> None:
    """Say that all of the sidebar stands above."""
    _end(_BESIDE)


def _end(key: str) -> None:
    with st.container(key=key):
        st.empty()
