import { READ, get, put } from "./storage.js";
import { BOTTOM, MAIN, MAIN_CONTENT, MARKDOWN, isAtRest } from "./streamlit_dom.js";

const TRANSCRIPT = ".st-key-transcript",
  LOAD_EARLIER = ".st-key-load_earlier",
  HEADER = ".st-key-session_header";
const TURN_LINK = ".st-key-turns a",
  COMING = ".st-key-bell_earlier";
// At the end, in pixels; a scroll belongs to a gesture so long after it, and what a click opens comes so long after it.
const NEAR = 4,
  GESTURE = 1000,
  OPENING = 1500,
  SCROLLING = 250;
// What is loaded above may come in parts, and a page that is short for a moment is not at its end.
const LOADING = 3000,
  SETTLING = 100;
const MARKS = ["at_", "run_", "call_", "thinking_", "system_"].map((kind) => `[class*="st-key-${kind}"]`).join(",");
const OPENED = /_(open|all)$/,
  TEXTS = `${TRANSCRIPT} ${MARKDOWN}`;
const UP = new Set(["ArrowUp", "PageUp", "Home"]);
const KEEPING = 200;

function makeReading() {
  let session = null,
    owner = null,
    scroller = null,
    button = null;
  let follows = false,
    top = 0,
    height = 0,
    newest = "",
    seen = "",
    marks = [];
  let gestureAt = -GESTURE,
    scrolledAt = -GESTURE,
    upAt = -GESTURE,
    openedAt = -OPENING;
  let touchedAt = 0,
    isDragging = false,
    half = false,
    fromEnd = 0,
    keeping;
  let isReturn = ["reload", "back_forward"].includes(performance.getEntriesByType("navigation")[0]?.type);

  const now = () => performance.now();
  // Only the last part of the transcript is there, and what stands above it is on its way. After a restart the page is
  // drawn anew in this way: what is read may be in the other part.
  const isComing = () => scroller.querySelector(COMING) !== null;
  function isHalf() {
    if (!half && isComing()) {
      half = true;
      setTimeout(untilWhole, SETTLING);
    }
    return half;
  }
  function untilWhole() {
    if (isComing() || !isAtRest()) setTimeout(untilWhole, SETTLING);
    else
      setTimeout(() => {
        half = false;
      }, SETTLING);
  }
  const isAtEnd = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < NEAR;

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    remember();
  }

  function remember(isReader = false) {
    top = scroller.scrollTop;
    height = scroller.scrollHeight;
    if (isReader || !half) fromEnd = height - top;
  }

  function draw() {
    if (follows) seen = newest;
    if (!button) return;
    button.hidden = follows || seen === newest;
    if (button.hidden) return;
    const box = scroller.getBoundingClientRect();
    const bar = scroller.querySelector(BOTTOM)?.getBoundingClientRect();
    button.style.left = `${box.left + box.width / 2}px`;
    button.style.bottom = `${innerHeight - (bar ? bar.top : box.bottom) + 12}px`;
  }

  const byName = (name) =>
    scroller.querySelector(["", "_open", "_all"].map((end) => `.${CSS.escape(name + end)}`).join(","));
  const byText = (text) => [...scroller.querySelectorAll(TEXTS)].find((node) => node.textContent === text);

  // What is in view, by the names of its events, or by its words where it has none: an element itself may be made anew
  // while it is read.
  function note() {
    const edge = scroller.getBoundingClientRect().top,
      end = scroller.clientHeight;
    // What the header covers is not read.
    const cover = Math.max(0, (document.querySelector(HEADER)?.getBoundingClientRect().bottom ?? edge) - edge);
    function look(what, toFind) {
      const above = [];
      for (const node of scroller.querySelectorAll(what)) {
        const at = node.getBoundingClientRect().top - edge;
        if (at > end) break;
        (at < cover ? above : marks).push([...toFind(node), at]);
      }
      marks.push(...above.reverse().slice(0, 3));
    }
    marks = [];
    look(MARKS, (node) => {
      const name = [...node.classList].find((one) => one.startsWith("st-key-")).replace(OPENED, "");
      return [() => byName(name), name];
    });
    if (marks.length > 0) return;
    look(TEXTS, (node) => {
      const text = node.textContent;
      return [() => byText(text), null];
    });
  }

  function hold() {
    const edge = scroller.getBoundingClientRect().top;
    for (const [find, , at] of marks) {
      const node = find();
      if (!node) continue;
      const moved = node.getBoundingClientRect().top - edge - at;
      if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
      return true;
    }
    return false;
  }

  // Only what the reader did: a page that is left moves, too.
  function keepPlace() {
    clearTimeout(keeping);
    keeping = setTimeout(() => {
      if (!session || !location.search.includes(session)) return;
      put("sessionStorage", READ + session, follows ? null : { marks: marks.map(([, ...mark]) => mark), fromEnd });
    }, KEEPING);
  }

  function comeBack({ marks: names, fromEnd: before }) {
    follows = false;
    marks = names.filter(([name]) => name).map(([name, at]) => [() => byName(name), name, at]);
    upAt = now() + LOADING;
    scroller.scrollTop = scroller.scrollHeight - before;
    hold();
    remember();
    fromEnd = before;
  }

  // What Streamlit's markdown lacks for who cannot see, or has no mouse: a heading is at most one level below the one
  // before it, and code that is wider than the page can be reached.
  function level() {
    let above = 1;
    for (const head of scroller.querySelectorAll(`${TRANSCRIPT} :is(h2, h3, h4, h5, h6)`)) {
      above = Math.min(Number(head.tagName[1]), above + 1);
      if (head.ariaLevel !== `${above}`) head.ariaLevel = `${above}`;
    }
    for (const code of scroller.querySelectorAll(`${TEXTS} pre`))
      if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  }

  function onSize() {
    if (!session || !scroller) return;
    level();
    if (follows) toEnd();
    else {
      const isPart = isHalf();
      if (now() <= openedAt + OPENING) note();
      // What comes stands above: as far from the end as before is the same place.
      else if (!hold() && isPart) scroller.scrollTop = scroller.scrollHeight - fromEnd;
      // What was below has gone, or was folded: this is the end again.
      if (isAtEnd() && !isPart && !isDragging && now() > Math.max(upAt, openedAt) + GESTURE) follows = true;
      remember();
    }
    draw();
  }

  function onScroll() {
    if (!session) return;
    const at = scroller.scrollTop;
    const isCut = scroller.scrollHeight < height && isAtEnd();
    // Where the page has changed since it was held, what is in view may have been moved by that and not by the reader.
    const isReader = isDragging || now() < scrolledAt + SCROLLING;
    const isAsBefore = scroller.scrollHeight === height && !isHalf();
    if (at > top && isAtEnd() && (isReader || isAsBefore) && now() > upAt + 100) follows = true;
    else if (at < top - 1 && !isCut && now() < gestureAt + GESTURE) follows = false;
    if (!follows && !isCut && (isReader || (at !== top && isAsBefore))) note();
    remember(isReader);
    if (isReader) keepPlace();
    draw();
  }

  function canScrollUp(node) {
    for (; node instanceof Element && node !== scroller; node = node.parentElement)
      if (node.scrollTop > 0 && /auto|scroll/.test(getComputedStyle(node).overflowY)) return true;
    return false;
  }

  // At once, and not when the page has moved: text that comes meanwhile would undo the move.
  function leave(target) {
    if (!session || !(target instanceof Node) || !scroller.contains(target)) return;
    if (scroller.scrollTop <= 0 || canScrollUp(target)) return;
    upAt = gestureAt = now();
    if (follows) {
      follows = false;
      note();
      remember(true);
    }
    draw();
  }

  const isTyping = (target) =>
    target instanceof HTMLElement && (target.isContentEditable || /INPUT|TEXTAREA|SELECT/.test(target.tagName));
  const listen = (type, hear) => window.addEventListener(type, hear, { capture: true, passive: true });

  listen("wheel", (event) => {
    if (event.ctrlKey) return;
    gestureAt = scrolledAt = now();
    if (event.deltaY < 0) leave(event.target);
  });
  listen("touchstart", (event) => {
    gestureAt = now();
    touchedAt = event.touches[0].clientY;
  });
  listen("touchmove", (event) => {
    gestureAt = scrolledAt = now();
    if (event.touches[0].clientY > touchedAt + 2) leave(event.target);
  });
  listen("keydown", (event) => {
    gestureAt = now();
    if (!isTyping(event.target)) scrolledAt = gestureAt;
    const isFind = event.key === "F3" || ((event.ctrlKey || event.metaKey) && /^[fg]$/i.test(event.key));
    const goesUp = UP.has(event.key) || (event.key === " " && event.shiftKey);
    if (session && (isFind || (goesUp && !isTyping(event.target)))) leave(scroller);
  });
  listen("pointerdown", (event) => {
    gestureAt = now();
    if (session && event.target === scroller && event.offsetX >= scroller.clientWidth) {
      isDragging = true;
      leave(scroller);
    }
  });
  listen("pointerup", () => {
    if (!isDragging) return;
    isDragging = false;
    if (session) {
      follows = isAtEnd();
      draw();
    }
  });
  function goTo(node) {
    follows = false;
    upAt = openedAt = now();
    node.scrollIntoView({ block: "start" });
    note();
    remember(true);
    keepPlace();
    draw();
  }

  // A turn that is on the page is gone to without a run. Who opens something reads there.
  window.addEventListener(
    "click",
    (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const link = target?.closest(TURN_LINK);
      const turn = link && document.querySelector(`.st-key-at_${new URL(link.href).searchParams.get("event")}`);
      if (session && turn) {
        event.preventDefault();
        event.stopPropagation();
        goTo(turn);
      }
      if (!session || !target?.closest(TRANSCRIPT)) return;
      if (target.closest(LOAD_EARLIER)) {
        follows = false;
        note();
        upAt = now() + LOADING;
      } else if (target.closest("summary, label")) {
        follows = false;
        openedAt = now();
      }
    },
    true,
  );
  window.addEventListener("resize", () => {
    if (session) onSize();
  });
  window.addEventListener("popstate", (event) => {
    isReturn = event.isTrusted;
  });
  listen("pointerdown", () => {
    isReturn = false;
  });

  const sizes = new ResizeObserver(onSize);

  function attach() {
    const found = document.querySelector(MAIN);
    if (!found) return;
    if (found !== scroller) {
      scroller?.removeEventListener("scroll", onScroll);
      scroller = found;
      scroller.addEventListener("scroll", onScroll, { passive: true });
    }
    sizes.disconnect();
    for (const part of [scroller, ...scroller.children]) sizes.observe(part);
    const content = scroller.querySelector(MAIN_CONTENT);
    if (content) sizes.observe(content);
  }

  return {
    isPlaced: () => session !== null,
    show(token, data, own) {
      owner = token;
      button = own;
      button.onclick = () => {
        follows = true;
        toEnd();
        keepPlace();
        draw();
      };
      attach();
      if (!scroller) return;
      newest = data.newest;
      if (data.session !== session) {
        session = data.session;
        follows = true;
        marks = [];
        const place = isReturn ? get("sessionStorage", READ + session) : null;
        if (place) comeBack(place);
        else toEnd();
        isReturn = false;
      }
      draw();
    },
    // The next run may be on its way; after that nobody reads a session here.
    leave(token) {
      setTimeout(() => {
        if (owner !== token) return;
        owner = session = button = null;
        sizes.disconnect();
      }, 300);
    },
  };
}

const reading = (window.luluReading ??= makeReading());

export default function ({ data, parentElement }) {
  const token = {};
  reading.show(token, data, parentElement.querySelector(".lulu-new"));
  return () => reading.leave(token);
}
