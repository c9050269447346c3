"""A page that is opened is shown when what is in view has come: until then parts take each other's places, unseen.

Streamlit's client draws a page in many steps, and each would move what stands below it. What is not in view yet can be
focused and written in all the same. The rule that hides it is one of ``look``'s, and ends by itself
should this script never come.
"""

from __future__ import annotations

import streamlit as st

#: The end of the page's own part, which stands before the sidebar's, and the end of the sidebar's.
_DRAWN, _BESIDE = "drawn", "drawn_beside"

_JS = (
    f"const DRAWN = '.st-key-{_DRAWN}', BESIDE = '.st-key-{_BESIDE}';"
    r"""
const MAIN = "[data-testid=stMain]", SIDEBAR = "[data-testid=stSidebar]", READING = "[class*='st-key-reading_']";
const ROWS = ".st-key-session_rows";
// Where nothing has come for so long (ms), what is missing is not waited for. What is above and below a transcript has
// its room already, and the last words do not wait for it.
const PATIENCE = 3000, ROOMY = ".st-key-session_header, [data-testid=stBottom]";

function isInView(node) {
  const box = node.getBoundingClientRect();
  return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
}
const coming = (part) => [...document.querySelectorAll(`${part} [data-testid=stSkeleton]`)].filter(
  (node) => isInView(node) && !node.closest(ROOMY)).length;
const isPlaced = () => !document.querySelector(READING) || window.luluReading?.isPlaced();
const isListed = () => !document.querySelector(ROWS) || window.luluRows?.isDrawn();

function watch() {
  const shown = document.documentElement.dataset;
  let before = "", since = performance.now();
  shown.luluWatched = "";
  const look = () => {
    const isReady = document.fonts.status === "loaded";
    const isDrawn = document.querySelector(DRAWN) !== null && isPlaced(), inMain = coming(MAIN);
    const isBeside = document.querySelector(BESIDE) !== null && isListed(), inSidebar = coming(SIDEBAR);
    const now = [isReady, isDrawn, inMain, isBeside, inSidebar].join();
    if (now !== before) { before = now; since = performance.now(); }
    const isLate = performance.now() > since + PATIENCE;
    if (isLate || (isReady && isDrawn && inMain === 0)) shown.luluMain = "";
    if (isLate || (isReady && isBeside && inSidebar === 0)) shown.luluBeside = "";
    if (shown.luluMain === undefined || shown.luluBeside === undefined) requestAnimationFrame(look);
  };
  look();
}

if (!window.luluFirstPaint) { window.luluFirstPaint = true; watch(); }
export default function () {}
"""
)

_mount = st.components.v2.component("lulu_first_paint", js=_JS)


def watch() -> None:
    """Show the page when it is there; drawn once in each run of the whole page, before all that is to be seen."""
    _mount(key="first_paint", height="content")


def end_page() -> None:
    """Say that all of the page's own part stands above."""
    _end(_DRAWN)


def end_sidebar() -> None:
    """Say that all of the sidebar stands above."""
    _end(_BESIDE)


def _end(key: str) -> None:
    with st.container(key=key):
        st.empty()
