import { withHub } from "./hub_member.js";
import { goingOn, patch, place } from "./live_markdown.js";
import { FENCE, blocks } from "./paragraphs.js";
import { ELEMENT, MARKDOWN, MARKDOWN_CONTENT, MESSAGE, SKELETON } from "./streamlit_dom.js";

const TRANSCRIPT = ".st-key-transcript",
  LIVE = ".st-key-live_text";
const LOOKED_AT = 8,
  LETTERS = 1000,
  LINGER = 1000,
  MISSING = 400;

// What is left of a text when it is drawn as markdown: its letters, without marks of lists, fences and addresses.
const UNSHOWN = /^[^\S\n]*(?:(?:`{3,}|~{3,}).*$|(?:[-*+]|\d{1,9}[.)]) )|\]\([^)\n]*\)|&#?\w+;/gm;
const letters = (text) => text.replace(UNSHOWN, "").replace(/[^\p{L}\p{N}]/gu, "");
const isEndOf = (wanted, node) =>
  wanted !== "" && letters(node.textContent.slice(-2 * LETTERS)).endsWith(wanted.slice(-LETTERS));

// -- what is known of the words of a session, whatever of it the page has drawn

// One transcript is on a page at a time.
let known = null;

function startKnowing(topic) {
  known = { topic, number: 0, heard: 0, upto: 0, drawn: null, events: new Map(), writing: null, visible: new Set() };
}

// Two parts of one text that follow each other, as one; null where they do not belong together.
function joined(before, part) {
  const at = part.from - before.from;
  if (at < 0) return part.text.startsWith(before.text, -at) ? part : null;
  const common = before.text.slice(at);
  const goesOn = at <= before.text.length && (part.text.startsWith(common) || common.startsWith(part.text));
  return goesOn ? { ...part, from: before.from, text: before.text.slice(0, at) + part.text } : null;
}

function learn({ number, latest, writing }) {
  if (number <= known.number) return;
  known.number = number;
  let before = known.writing;
  const first = latest[0]?.id,
    isFull = latest.length === known.drawn.latest && first > known.upto;
  // What came between is not known, and nobody may see what follows it without it.
  if (isFull && ![...known.events.keys()].some((id) => id >= first)) known.events.set(first - 0.5, null);
  for (const one of latest) {
    if (one.id <= known.upto || known.events.has(one.id)) continue;
    const whole = one.text !== undefined && before ? joined(before, one) : null;
    const isEnd = whole && whole.text.length >= before.text.length;
    if (isEnd && known.visible.has("writing")) known.visible.add(one.id);
    if (isEnd) before = null;
    known.events.set(one.id, one.text === undefined ? null : isEnd ? whole : one);
  }
  const more = before && writing ? joined(before, writing) : null;
  known.writing = more ?? writing;
  if (!more) known.visible.delete("writing");
}

// -- what of it is not drawn yet

// What a run draws comes a moment before its data: only what has changed since the last data can be of it.
let drawnBefore = new Map();
const drawnNow = () => [...document.querySelectorAll(`${TRANSCRIPT} ${MARKDOWN}`)].slice(-LOOKED_AT);
const noteDrawn = () => {
  drawnBefore = new Map(drawnNow().map((node) => [node, node.textContent]));
};
const newlyDrawn = () => drawnNow().filter((node) => drawnBefore.get(node) !== node.textContent);

// What of a part comes after the character `shown`; null where that is not known.
function rest(part, shown) {
  let skip = shown - part.from;
  if (skip < 0) return null;
  const live = newlyDrawn().find((node) => node.closest(LIVE));
  const end = part.finished - part.from;
  if (live) {
    let at = skip;
    for (const block of blocks(part.text.slice(skip, end))) {
      at = part.text.indexOf(block, at) + block.length;
      if (isEndOf(letters(part.text.slice(shown - part.from, at)), live)) skip = at;
    }
  }
  // A block of code takes a moment to be drawn.
  const last = document.querySelector(`${LIVE} ${SKELETON}`) && blocks(part.text.slice(0, skip)).at(-1);
  if (last && FENCE.test(last)) skip = part.text.lastIndexOf(last, skip);
  return part.text.slice(skip);
}

// What stands below what is drawn, oldest first. Nothing new comes after what only a run can draw; what was seen stays.
function parts(drawn) {
  const found = [],
    fresh = newlyDrawn().filter((node) => !node.closest(LIVE));
  let isBlocked = false,
    isSeamFound = drawn.shown === 0;
  const show = (key, part) => {
    const at = drawn.shown - part.from;
    const isSeam = at > 0 ? part.text.slice(0, at).endsWith(drawn.seam.slice(-at)) : at === 0 && key === "writing";
    const isSame = !isSeamFound && isSeam && at <= part.text.length;
    // The text that is drawn in part is one of these; where it has changed, a run is on its way.
    const left = key === "writing" && !isSeamFound && !isSame ? null : rest(part, isSame ? drawn.shown : 0);
    isSeamFound ||= isSame;
    if (left === null || (isBlocked && !known.visible.has(key))) {
      isBlocked = true;
      return;
    }
    const wanted = letters(left),
      index = key === "writing" ? -1 : fresh.findIndex((node) => isEndOf(wanted, node));
    fresh.splice(0, index + 1);
    if (index >= 0) return;
    known.visible.add(key);
    if (left.trim() !== "") found.push(left);
  };
  for (const id of [...known.events.keys()].sort((one, other) => one - other)) {
    if (id <= drawn.upto) {
      known.events.delete(id);
      known.visible.delete(id);
    } else if (known.events.get(id) === null) isBlocked = true;
    else show(id, known.events.get(id));
  }
  if (known.writing) show("writing", known.writing);
  return found;
}

// The class of Streamlit's own markdown. What is drawn of the text stands in an element of it, also when that is
// nothing yet.
const OWN = `${LIVE} > ${ELEMENT} > ${MARKDOWN} ${MARKDOWN_CONTENT}`;
let look = "";

function draw(box, texts) {
  const drawn = document.querySelector(OWN);
  look = drawn?.className ?? look;
  let above = drawn?.lastElementChild ?? null;
  texts.forEach((text, at) => {
    const node = box.children[at] ?? box.appendChild(document.createElement("div"));
    if (node.className !== look) node.className = look;
    const { children, isApart } = goingOn(text, above, /\n\s*\n\s*$/.test(known.drawn.seam));
    if (at === 0) box.classList.toggle("apart", isApart);
    patch(node, children);
    place(node, above, isApart);
    above = null;
  });
  while (box.children.length > texts.length) box.lastChild.remove();
}

// A run may put the component in another place: for some frames it is nowhere, or empty until the browser calls it.
const CONTENT = `${TRANSCRIPT} ${MESSAGE}`;
const stand = Object.assign(document.createElement("div"), { className: "lulu-flow" });
let seenAt = 0,
  standTimer;

function boxInView() {
  const found = [...document.querySelectorAll(`${LIVE} .lulu-flow`)].filter((node) => node !== stand).at(-1);
  if (found) {
    seenAt = performance.now();
    stand.remove();
    return found;
  }
  const last = [...document.querySelectorAll(CONTENT)].at(-1);
  const isHere = location.search.includes(known.drawn.session) && performance.now() < seenAt + MISSING;
  if (!last || !isHere) {
    stand.remove();
    return null;
  }
  if (stand.parentElement !== last) last.append(stand);
  clearTimeout(standTimer);
  standTimer = setTimeout(() => stand.remove(), MISSING);
  return stand;
}

function redraw() {
  const found = known && boxInView();
  if (!found) return;
  draw(found, parts(known.drawn));
  if (!stand.firstChild) stand.remove();
}

// Before the next frame: what a run has drawn is not to be seen twice.
const watch = new MutationObserver(() => {
  if (known.visible.size === 0) return;
  redraw();
  watch.takeRecords();
});

function flow(hub, { key, data }) {
  if (known?.topic !== data.topic) startKnowing(data.topic);
  known.drawn = data;
  known.upto = Math.max(known.upto, data.upto);
  noteDrawn();
  learn({ number: data.number, latest: [], writing: data.writing });
  const told = hub.last("text", data.topic);
  if (told) learn(told);
  watch.observe(document.body, { childList: true, characterData: true, subtree: true });
  const member = {
    topic: data.topic,
    text(words) {
      // The same words may come again, when the socket is back or was looked after: that is no sound of the agent.
      if (known.heard > 0 && words.number > known.heard) window.luluNow?.heard?.(data.session);
      known.heard = Math.max(known.heard, words.number);
      learn(words);
      redraw();
    },
  };
  current = member;
  hub.join(key, member);
  redraw();
  return () => {
    hub.leave(key, member);
    setTimeout(() => {
      if (current === member) watch.disconnect();
    }, LINGER);
  };
}

// The last one that was called. Streamlit's client calls it with each run, and what it returned only when it goes.
let current = null;
const takenDown = new WeakMap();

export default function (drawn) {
  takenDown.get(drawn.parentElement)?.();
  const leave = withHub((hub) => flow(hub, drawn));
  takenDown.set(drawn.parentElement, leave);
  return leave;
}
