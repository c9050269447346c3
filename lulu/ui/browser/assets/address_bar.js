import { drawPage, isAtRest } from "./streamlit_dom.js";

let shown = null,
  pushed = false,
  timer;
let going = null,
  goingAt = 0,
  again;
const GOING = 5000,
  APART = 1000,
  TRIES = 5;
const KEPT = new Set(["id", "event"]);
const placeOf = (pairs) => {
  const place = new URLSearchParams([...new URLSearchParams(pairs)].filter(([name]) => KEPT.has(name)));
  place.sort();
  return `${place}`;
};
const isStale = (place) => location.pathname.endsWith("/session") && placeOf(location.search) !== place;

// Looked at for a while: the client may still be writing an address of its own.
function settle(tries) {
  clearTimeout(timer);
  if (shown !== null && isStale(shown)) {
    const address = `${location.pathname}?${shown}`;
    if (pushed) history.replaceState({}, "", address);
    else history.pushState({}, "", address);
    pushed = true;
  }
  if (tries > 0) timer = setTimeout(() => settle(tries - 1), 250);
}

// A click that comes as a run ends may be lost on the way: Streamlit's server forgets what it is asked in that moment.
function goAgain(place, tries) {
  if (going !== place || placeOf(location.search) !== place || tries === 0) return;
  again = setTimeout(() => goAgain(place, tries - 1), APART);
  if (!isAtRest()) return;
  const askedAt = goingAt;
  drawPage();
  goingAt = askedAt;
  clearTimeout(again);
  again = setTimeout(() => goAgain(place, tries - 1), APART);
}

// Back and forward: Streamlit reruns the page for the address that it finds. If it does not, a reload does. (A click in
// the list of sessions says the same with an event of its own, and needs none.) What is drawn for the place before
// it must not take the address back: the client sends it along with whatever it sends next.
window.addEventListener("popstate", (event) => {
  const before = shown;
  clearTimeout(timer);
  if (!event.isTrusted) {
    going = location.pathname.endsWith("/session") ? placeOf(location.search) : null;
    goingAt = performance.now();
    clearTimeout(again);
    if (going !== null) again = setTimeout(() => goAgain(going, TRIES), APART);
    return;
  }
  going = null;
  shown = null;
  setTimeout(() => {
    if (shown === null && before !== null && isStale(before)) location.reload();
  }, 1500);
});

export default function ({ data }) {
  const place = placeOf(data.event ? { id: data.id, event: data.event } : { id: data.id });
  if (going !== null && place !== going && performance.now() < goingAt + GOING) return;
  going = null;
  if (place === shown) return;
  shown = place;
  pushed = false;
  settle(12);
}
