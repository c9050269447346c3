"""Where links lead, and where Back comes back to: the place that is left keeps its address and how far it was read.

Constant scripts. What was searched for goes along with a hit, for ``marker``. A hit of a search is followed as a row of
the session list is: Streamlit's own link would rewrite the address of the search that is left. On a phone, what was
chosen in the sidebar closes it.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.styles import SEARCH_RESULTS

_JS = (
    f"const HITS = '.st-key-{SEARCH_RESULTS} .stPageLink';"
    r"""
const SIDEBAR = "[data-testid=stSidebar]", COLLAPSE = "[data-testid=stSidebarCollapseButton] button", PHONE = 768;
const PLACE = "lulu-place:", FOUND = "lulu-found", RESTORING = 4000, EVERY = 50;

function makeLinks() {
  const main = () => document.querySelector("[data-testid=stMain]");
  // A session has a memory of its own: see ``reading``.
  const isKept = () => !location.pathname.endsWith("/session");
  const key = () => PLACE + location.pathname + location.search;
  let returnedAt = -Infinity, restoring = 0, timer;

  const read = (name) => { try { return Number(sessionStorage.getItem(name)); } catch { return 0; } };
  const keep = (name, at) => {
    try { sessionStorage.setItem(name, `${at}`); } catch { /* a full or private window */ } };

  window.addEventListener("click", (event) => {
    const path = event.composedPath(), link = path.find((node) => node instanceof HTMLAnchorElement);
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.closest(HITS)) {
      const said = { event: new URL(link.href).searchParams.get("event"),
        query: new URLSearchParams(location.search).get("q") ?? "" };
      keep(FOUND, JSON.stringify(said));
      event.preventDefault();
      event.stopPropagation();
      history.pushState({}, "", link.href);
      window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    }
    if (innerWidth < PHONE && path.some((node) => node instanceof Element && node.matches(SIDEBAR)))
      setTimeout(() => document.querySelector(`${SIDEBAR} ${COLLAPSE}`)?.click());
  }, true);

  document.addEventListener("scroll", (event) => {
    if (isKept() && event.target === main() && !restoring) keep(key(), main().scrollTop);
  }, { capture: true, passive: true });

  function restore() {
    clearTimeout(timer);
    returnedAt = performance.now();
    const wanted = isKept() ? read(key()) : 0;
    restoring = wanted > 0 ? performance.now() + RESTORING : 0;
    const step = () => {
      const at = main();
      if (at && at.scrollHeight - at.clientHeight >= wanted - 1) at.scrollTop = wanted;
      if (performance.now() > restoring) restoring = 0;
      if (restoring) timer = setTimeout(step, EVERY);
    };
    if (restoring) step();
  }
  window.addEventListener("popstate", (event) => {
    if (event.isTrusted) restore();
    else { clearTimeout(timer); restoring = 0; }
  });
  // Whoever scrolls, types or clicks is where they want to be.
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"])
    window.addEventListener(type, () => { clearTimeout(timer); restoring = 0; }, { capture: true, passive: true });

  const [navigation] = performance.getEntriesByType("navigation");
  if (["reload", "back_forward"].includes(navigation?.type)) restore();
  return { isReturn: () => performance.now() < returnedAt + RESTORING };
}

window.luluLinks ??= makeLinks();
export default function () {}
"""
)

_mount = st.components.v2.component("lulu_links", js=_JS)


def follow() -> None:
    """Watch over links; drawn once in each run of the whole page."""
    _mount(key="links", height="content")
