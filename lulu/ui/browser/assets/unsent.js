import { get, put } from "./storage.js";
import { CHAT_INPUT, CHAT_SUBMIT, MAIN, POPOVER, SIDEBAR, isAtRest, isConnected } from "./streamlit_dom.js";

const BOX = ".st-key-prompt textarea",
  PLACE = "st-key-box_",
  STOP = ".st-key-stop";
// Fields that hold what somebody writes long, by the beginning of their keys. An id is a part of each.
const FIELDS = ["st-key-reason_", "st-key-words_", "st-key-edited_", "st-key-prompt_"]
  .map((key) => `:is(${MAIN}, ${POPOVER}) [class*='${key}'] :is(textarea, input)`)
  .join();
const KEEP = "lulu-unsent:",
  FIELD = "lulu-field:",
  KEPT_FOR = 30 * 24 * 3600 * 1000;
const LOST_AFTER = 5000,
  LOOK = 1000,
  PHONE = 768,
  BROWSING = 2000;

const namesIn = (storage, start) => Object.keys(storage).filter((name) => name.startsWith(start));

// As `mark` in lulu/ui/browser/unsent.py: CRC-32 of the text in UTF-16.
function mark(text) {
  let crc = -1;
  const add = (byte) => {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  };
  for (let at = 0; at < text.length; at++) {
    add(text.charCodeAt(at) & 255);
    add(text.charCodeAt(at) >> 8);
  }
  return (crc ^ -1) >>> 0;
}

function makeUnsent(home) {
  // Each tab has a text of its own for a place, and leaves a copy for a later visit.
  const tab = get("sessionStorage", "lulu-tab") ?? `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  put("sessionStorage", "lulu-tab", tab);
  const copyOf = (place) => `${KEEP}${place}:${tab}`;
  const places = () => namesIn(sessionStorage, KEEP).map((name) => name.slice(KEEP.length));
  const consumed = new Set(),
    isSeen = new WeakSet();
  // Whether the server was away, as for a page that has just come; since when it is back.
  let isAway = true,
    backAt = 0;
  let box = null,
    place = null,
    kept = null,
    told = null,
    hadFocus = false,
    isTyped = false;

  function load(from) {
    const own = get("sessionStorage", KEEP + from);
    if (own) return own;
    const copies = namesIn(localStorage, `${KEEP}${from}:`).map((name) => [name, get("localStorage", name)]);
    const [name, copy] = copies.sort(([, one], [, other]) => other.at - one.at)[0] ?? [];
    if (!copy) return { text: "", sent: [] };
    // What a closed tab left is taken; a tab that is still there keeps its own.
    if (copy.isLeft) localStorage.removeItem(name);
    return { text: copy.text, sent: copy.sent, copied: copy.isLeft ? null : [name, copy.text] };
  }

  function save(to, what) {
    put("sessionStorage", KEEP + to, what);
    if (what.text || what.sent.length > 0) {
      put("localStorage", copyOf(to), { text: what.text, sent: what.sent, at: Date.now() });
      return;
    }
    localStorage.removeItem(copyOf(to));
    const [name, text] = what.copied ?? [];
    if (name && get("localStorage", name)?.text === text) localStorage.removeItem(name);
    what.copied = null;
  }

  // As if it were typed: Streamlit's client hears of it.
  function write(field, text) {
    const kind = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // The prompt that is on its way and still stands in the box.
  const sending = () => kept.sent.find((one) => one.isShown && !one.isReturned && one.text === box.value);

  function draw() {
    box?.toggleAttribute("data-sending", sending() !== undefined);
  }

  // -- the prompt box

  // Where the next thing to do is to write: at home, and where no turn runs. Not on a phone, whose keyboard would cover
  // the page, and not for somebody who is elsewhere on it, or goes through the list by keys.
  function takeFocus() {
    const active = document.activeElement ?? document.body;
    const isFree = active === document.body || (active.closest(SIDEBAR) && !active.matches("input"));
    const isReady = place === home || !document.querySelector(STOP);
    const isBrowsing = performance.now() < (window.luluBrowsedAt ?? -BROWSING) + BROWSING;
    const isSmall = innerWidth < PHONE || matchMedia("(pointer: coarse)").matches;
    if (!isFree || !isReady || isBrowsing || isSmall || box.disabled) return;
    box.focus({ preventScroll: true });
    box.setSelectionRange(box.value.length, box.value.length);
  }

  function begin(isSame) {
    kept = load(place);
    hadFocus = isTyped = false;
    disabled.disconnect();
    disabled.observe(box, { attributes: true, attributeFilter: ["disabled"] });
    keepUsable();
    const mine = box;
    // What the server puts there comes a moment after the box, and is newer.
    requestAnimationFrame(() => {
      if (mine !== box) return;
      if (box.value === "" || isSame) {
        if (box.value !== kept.text) write(box, kept.text);
      } else {
        isTyped = kept.text !== "" && !kept.sent.some((one) => one.isShown);
        noteFromServer();
      }
      resolve();
      takeFocus();
      draw();
    });
  }

  function note() {
    if (box.value === kept.text) return;
    kept.text = box.value;
    kept.sent = kept.sent.filter((one) => !one.isReturned);
    for (const one of kept.sent) if (one.text !== box.value) one.isShown = false;
    save(place, kept);
    draw();
  }

  // What the server puts into the box stands before what was typed there meanwhile, not in its place.
  function noteFromServer() {
    if (box.value === kept.text) return;
    if (isTyped && kept.text && box.value) {
      for (const one of kept.sent) if (one.text === box.value) one.isReturned = true;
      write(box, `${box.value}${/\s$/.test(box.value) ? "" : "\n\n"}${kept.text}`);
    }
    isTyped = false;
    note();
  }

  // The next prompt takes the place of the one that is on its way.
  function makeRoom() {
    if (sending()) box.select();
  }

  function onSend(event) {
    const [mine, from, record, text] = [box, place, kept, box.value];
    if (!text.trim()) return;
    if (sending()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const one = { text, after: told?.last ?? 0, at: Date.now(), isShown: true };
    record.text = text;
    record.sent = [...record.sent.filter((other) => !other.isReturned || other.text !== text), one];
    isTyped = false;
    save(from, record);
    // Streamlit's client empties the box with the key; before the next frame the text is there again.
    let isOver = false;
    const after = () => {
      if (isOver) return;
      isOver = true;
      if (mine.value.startsWith(text)) {
        record.sent = record.sent.filter((other) => other !== one);
        save(from, record);
      } else if (mine.isConnected && mine === box && mine.value === "" && record === kept && kept.sent.includes(one)) {
        one.isShown = true;
        write(mine, text);
        save(from, record);
      }
      draw();
    };
    requestAnimationFrame(after);
    setTimeout(after, 50);
  }

  // What the store has is no unsent text; what was typed behind it is.
  function resolve() {
    if (!told) return;
    for (const one of new Set([...places(), place].filter(Boolean))) {
      const record = one === place ? kept : get("sessionStorage", KEEP + one);
      const before = record.sent.length;
      for (const sent of record.sent) {
        const stored = told.sent.find(
          ([id, at, crc]) => id > sent.after && !consumed.has(id) && at === one && crc === mark(sent.text),
        );
        if (!stored) continue;
        consumed.add(stored[0]);
        record.sent = record.sent.filter((other) => other !== sent);
        if ((sent.isShown || sent.isReturned) && record.text.startsWith(sent.text))
          record.text = record.text.slice(sent.text.length).replace(/^\n+/, "");
      }
      if (record.sent.length === before) continue;
      if (one === place && box && box.value !== record.text) write(box, record.text);
      save(one, record);
    }
    draw();
  }

  // A prompt that the store does not have, though nothing is on its way any longer, is a text that waits to be sent.
  function giveBack(isGone) {
    for (const one of new Set([...places(), place].filter(Boolean))) {
      const record = one === place ? kept : get("sessionStorage", KEEP + one);
      const gone = record.sent.filter((sent) => !sent.isReturned && isGone(sent));
      for (const sent of gone) {
        sent.isReturned = true;
        if (!sent.isShown) record.text = sent.text + (record.text ? `\n\n${record.text}` : "");
      }
      if (gone.length === 0) continue;
      if (one === place && box && box.value !== record.text) write(box, record.text);
      save(one, record);
    }
    draw();
  }

  // Streamlit's client switches its fields off while the server is away; this one needs no server.
  function keepUsable() {
    if (!box?.disabled || isConnected()) return;
    const isLosing = hadFocus && !document.activeElement?.matches("input, textarea");
    const { selectionStart, selectionEnd } = box;
    box.disabled = false;
    if (isLosing) {
      box.focus({ preventScroll: true });
      box.setSelectionRange(selectionStart, selectionEnd);
    }
  }
  const disabled = new MutationObserver(keepUsable);

  // -- other fields

  const nameOf = (field) => {
    const holder = field.closest("[class*='st-key-']");
    return [...holder.classList].find((name) => name.startsWith("st-key-")).slice("st-key-".length);
  };

  function beginField(field) {
    isSeen.add(field);
    const name = FIELD + nameOf(field),
      record = get("sessionStorage", name),
      base = field.value;
    if (record && record.base === base && record.text !== base) {
      write(field, record.text);
      field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    }
    field.addEventListener("input", () => {
      if (field.value === base) sessionStorage.removeItem(name);
      else put("sessionStorage", name, { base, text: field.value });
    });
  }

  // -- what is heard

  function look() {
    const found = document.querySelector(BOX),
      classes = found?.closest(`[class*='${PLACE}']`)?.classList ?? [];
    const its = [...classes].find((name) => name.startsWith(PLACE))?.slice(PLACE.length) ?? null;
    if (found !== box || its !== place) {
      const isSame = found === box;
      [box, place] = its === null ? [null, null] : [found, its];
      if (box) begin(isSame);
    }
    for (const field of document.querySelectorAll(FIELDS)) if (!isSeen.has(field)) beginField(field);
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });

  window.addEventListener(
    "input",
    (event) => {
      if (event.target !== box) return;
      isTyped = event.isTrusted;
      // The same words once more are the next prompt, too.
      if (isTyped && sending()) {
        sending().isShown = false;
        save(place, kept);
        draw();
      }
      note();
    },
    true,
  );
  window.addEventListener(
    "beforeinput",
    (event) => {
      if (box && event.target === box && !event.isComposing) makeRoom();
    },
    true,
  );
  document.addEventListener("focusin", (event) => {
    hadFocus = event.target === box;
  });
  window.addEventListener(
    "pointerdown",
    () => {
      hadFocus = document.activeElement === box;
    },
    true,
  );
  window.addEventListener(
    "keydown",
    (event) => {
      const isEnter = event.key === "Enter" && !event.isComposing && event.keyCode !== 229;
      // A conversion begins where the selection is before it.
      const isBegun = !event.isComposing && (event.keyCode === 229 || event.key === "Dead");
      if (box && event.target === box && isBegun) makeRoom();
      if (box && event.target === box && isEnter && !event.shiftKey && !event.ctrlKey && !event.metaKey) onSend(event);
    },
    true,
  );
  window.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element && event.target.closest(CHAT_SUBMIT);
      if (button && box?.closest(CHAT_INPUT)?.contains(button)) onSend(event);
    },
    true,
  );

  setInterval(() => {
    if (box && place) noteFromServer();
    if (!isConnected()) {
      isAway = true;
      keepUsable();
      return;
    }
    if (!isAtRest()) return;
    giveBack((sent) => sent.at < backAt || Date.now() > sent.at + LOST_AFTER);
  }, LOOK);

  function forEachCopy(change) {
    for (const one of places()) {
      const copy = get("localStorage", copyOf(one));
      if (copy) put("localStorage", copyOf(one), { ...copy, ...change });
    }
  }
  window.addEventListener("pagehide", () => forEachCopy({ isLeft: true }));
  window.addEventListener("pageshow", () => forEachCopy({ isLeft: false }));
  for (const name of namesIn(localStorage, KEEP))
    if (!(get("localStorage", name)?.at > Date.now() - KEPT_FOR)) localStorage.removeItem(name);
  // A reload: what the tab has of its own is no longer left behind.
  for (const one of places()) save(one, get("sessionStorage", KEEP + one));

  return {
    // What the store has, as of the run that says so.
    tell(news) {
      const isPutBack = told !== null && told.put !== news.put;
      told = news;
      look();
      resolve();
      if (isPutBack) giveBack((sent) => sent.text === box?.value);
      // What was sent over a connection that has ended is on its way no longer.
      if (isAway) backAt = Date.now();
      isAway = false;
    },
    // Nobody is let in any longer.
    forget() {
      for (const storage of [sessionStorage, localStorage])
        for (const name of [...namesIn(storage, KEEP), ...namesIn(storage, FIELD)]) storage.removeItem(name);
      [box, place] = [null, null];
    },
  };
}

export default function ({ data }) {
  (window.luluUnsent ??= makeUnsent(data.home)).tell(data);
}
