import { READ, get } from "./storage.js";
import { BOTTOM, ELEMENT, MAIN, SIDEBAR, SKELETON } from "./streamlit_dom.js";

// After the page's own part comes the sidebar, or a mark where there is none; the sidebar's last element is a link.
const DRAWN = ".st-key-drawn, .st-key-pages",
  BESIDE = ".st-key-sidebar_end a";
const READING = "[class*='st-key-reading_']";
const ROWS = ".st-key-session_rows",
  ANYTHING = `${MAIN} ${ELEMENT}`;
// Where nothing has come for so long (ms), what is missing is not waited for. What is above and below a transcript has
// its room already, and the last words do not wait for it.
const PATIENCE = 3000,
  ROOMY = `.st-key-session_header, ${BOTTOM}`;

function isInView(node) {
  const box = node.getBoundingClientRect();
  return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
}
const coming = (part) =>
  [...document.querySelectorAll(`${part} ${SKELETON}`)].filter((node) => isInView(node) && !node.closest(ROOMY)).length;
const isListed = () => !document.querySelector(ROWS) || window.luluRows?.isDrawn();

// Reading begins at the end, unless its own script has a place to come back to, or an event to lead to.
const query = new URLSearchParams(location.search),
  id = query.get("id");
let isAtEnd = id !== null && !query.has("event") && get("sessionStorage", READ + id) === null;
const isRead = () => window.luluReading?.isPlaced() || !document.querySelector(READING);
for (const type of ["wheel", "touchstart", "keydown", "pointerdown"])
  addEventListener(
    type,
    () => {
      isAtEnd = false;
    },
    { capture: true, passive: true, once: true },
  );
function isPlaced() {
  if (isRead()) return true;
  const main = isAtEnd && document.querySelector(MAIN);
  if (main) main.scrollTop = main.scrollHeight;
  return Boolean(main);
}

const shown = document.documentElement.dataset;
let before = "",
  since = 0;
shown.luluWatched = "";
function look() {
  const isReady = document.fonts.status === "loaded";
  const isDrawn = document.querySelector(DRAWN) !== null && isPlaced(),
    inMain = coming(MAIN);
  const isBeside = document.querySelector(BESIDE) !== null && isListed(),
    inSidebar = coming(SIDEBAR);
  const now = [isReady, isDrawn, inMain, isBeside, inSidebar].join();
  if (now !== before || !document.querySelector(ANYTHING)) {
    before = now;
    since = performance.now();
  }
  const isLate = performance.now() > since + PATIENCE;
  if (isLate || (isReady && isDrawn && inMain === 0)) shown.luluMain = "";
  if (isLate || (isReady && isBeside && inSidebar === 0)) shown.luluBeside = "";
  const isWhole = shown.luluMain !== undefined && shown.luluBeside !== undefined;
  if (!isWhole || (!isRead() && !isLate)) requestAnimationFrame(look);
}
look();
