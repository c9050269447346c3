import { isPlainClick } from "./clicks.js";
import { FOUND, get, put } from "./storage.js";
import { MAIN, PAGE_LINK, SIDEBAR, SIDEBAR_COLLAPSE, goToPage } from "./streamlit_dom.js";

// Where links lead, and where Back comes back to: a page that is left keeps its address and its scroll position.
// A hit of a search is followed as a row of the session list is: Streamlit's own link would rewrite the address of the
// search. What was searched for goes along, for scroll_target.js. On a phone, a click in the sidebar closes it.

const HITS = `.st-key-search_results ${PAGE_LINK}`,
  PHONE = 768;
const PLACE = "lulu-place:",
  RESTORING = 4000,
  EVERY = 50;

function makeLinks() {
  const main = () => document.querySelector(MAIN);
  // A session has a memory of its own: see scroll.js.
  const isKept = () => !location.pathname.endsWith("/session");
  const key = () => PLACE + location.pathname + location.search;
  let restoring = 0,
    timer;

  window.addEventListener(
    "click",
    (event) => {
      const path = event.composedPath(),
        link = path.find((node) => node instanceof HTMLAnchorElement);
      if (!link || !isPlainClick(event)) return;
      if (link.closest(HITS)) {
        const said = {
          event: new URL(link.href).searchParams.get("event"),
          query: new URLSearchParams(location.search).get("q") ?? "",
        };
        put("sessionStorage", FOUND, said);
        event.preventDefault();
        event.stopPropagation();
        goToPage(link.href);
      }
      if (innerWidth < PHONE && path.some((node) => node instanceof Element && node.matches(SIDEBAR)))
        setTimeout(() => document.querySelector(`${SIDEBAR} ${SIDEBAR_COLLAPSE}`)?.click());
    },
    true,
  );

  document.addEventListener(
    "scroll",
    (event) => {
      if (isKept() && event.target === main() && !restoring) put("sessionStorage", key(), main().scrollTop);
    },
    { capture: true, passive: true },
  );

  function restore() {
    clearTimeout(timer);
    const wanted = isKept() ? (get("sessionStorage", key()) ?? 0) : 0;
    restoring = wanted > 0 ? performance.now() + RESTORING : 0;
    const step = () => {
      const at = main();
      // Streamlit's client may draw its first page late.
      if (!at) restoring = performance.now() + RESTORING;
      if (at && at.scrollHeight - at.clientHeight >= wanted - 1) at.scrollTop = wanted;
      if (performance.now() > restoring) restoring = 0;
      if (restoring) timer = setTimeout(step, EVERY);
    };
    if (restoring) step();
  }
  window.addEventListener("popstate", (event) => {
    if (event.isTrusted) restore();
    else {
      clearTimeout(timer);
      restoring = 0;
    }
  });
  // Whoever scrolls, types or clicks is where they want to be.
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"])
    window.addEventListener(
      type,
      () => {
        clearTimeout(timer);
        restoring = 0;
      },
      { capture: true, passive: true },
    );

  const [navigation] = performance.getEntriesByType("navigation");
  if (["reload", "back_forward"].includes(navigation?.type)) restore();
}

makeLinks();
