import { isPlainClick } from "./clicks.js";
import { isKey } from "./keys.js";
import { goToPage } from "./streamlit_dom.js";

// Rows are changed in place, so that focus, hover and a click under way survive a new list.

// A list that was on its way when a row was clicked names the row before; it is not believed for so long (ms).
const LEADING = 5000;
// A list that was just left is drawn anew after this (ms): the pointer may be on its way from one to the other. A tap
// becomes a click this long after the finger has left.
const LEFT = 150,
  TAPPED = 400;

// One memory for both lists and for the tab: a component is made anew with every page.
function makeMemory() {
  const lists = new Map();
  let isHovered = false,
    tappedAt = -Infinity,
    timer;

  const isInside = (event) => event.composedPath().some((node) => node.classList?.contains("lulu-rows"));
  const hasFocus = () => [...lists.values()].some(({ box }) => box.isConnected && box.querySelector(":focus-visible"));
  const isHeld = () => isHovered || performance.now() < tappedAt + TAPPED || hasFocus();
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(settle, wait);
  };
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
    window.addEventListener(
      kind,
      (event) => {
        if (event.pointerType !== "touch" || !isInside(event)) return;
        tappedAt = performance.now();
        later(TAPPED + 1);
      },
      true,
    );
  }
  // To the row below the open one, or above it; to the first where none of them is open.
  window.addEventListener(
    "keydown",
    (event) => {
      const { box, data } = lists.get("all") ?? {};
      const step = !data ? 0 : isKey(event, data.next) ? 1 : isKey(event, data.previous) ? -1 : 0;
      if (step === 0 || !box?.isConnected) return;
      event.preventDefault();
      window.luluBrowsedAt = performance.now();
      const links = [...box.querySelectorAll("li a")];
      const open = links.findIndex((link) => link.hasAttribute("aria-current"));
      links[open < 0 ? 0 : open + step]?.click();
    },
    true,
  );

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
  if (!isPlainClick(event)) return;
  event.preventDefault();
  for (const other of link.getRootNode().querySelectorAll("a[aria-current]")) other.removeAttribute("aria-current");
  const id = link.parentElement.dataset.id;
  if (id) {
    link.setAttribute("aria-current", "page");
    memory.clicked = id;
    memory.clickedAt = performance.now();
  }
  if (location.href === link.href) return;
  goToPage(link.href);
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
    if (id === open) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
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
