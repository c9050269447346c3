"""The paragraph that is being written: plain text, straight from the doorbell's socket, with no run of the page.

What is finished of a text is drawn as markdown by the run of the fragment that shows it; below it stands what has come
since. A run says how far it has drawn, and the browser shows the rest: nothing twice, and no frame without it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from lulu.events import Text
from lulu.paragraphs import finished
from lulu.plain_text import plain
from lulu.store import LiveText
from lulu.ui.look import LIVE_TEXT, TRANSCRIPT
from lulu.ui.text import safe_markdown
from lulu.web import flowing

#: How much of what is drawn the browser compares, to be sure that it goes on with the same text (characters).
_SEAM = 40
#: A block of code that nobody sees: Streamlit's client loads its highlighter with the first one, which takes long.
_WARM = "warm_code"

_HTML = '<div class="lulu-flow"></div>'

# As Streamlit's own paragraphs, headings, items and blocks of code, so that nothing moves when those take its place.
_CSS = f"""
.lulu-flow > div {{ white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.6; }}
.lulu-flow > div + div {{ margin-top: 1rem; }}
.lulu-flow > .item {{ padding-inline-start: 2.45rem; text-indent: -1.05rem; }}
.lulu-flow > .item + .item, .lulu-flow > .head + .item {{ margin-top: 0.2rem; }}
.lulu-flow > .head {{ padding: 1rem 0; font-weight: 600; line-height: 1.2; }}
.lulu-flow > .head + div {{ margin-top: 0; }}
.lulu-flow > .h1 {{ font-size: 1.5rem; }}
.lulu-flow > .h2 {{ font-size: 1.25rem; }}
.lulu-flow > .h3 {{ font-size: 1.1rem; }}
.lulu-flow.below > :first-child {{ margin-top: 0.5rem; }}
.lulu-flow.below.head > :first-child {{ margin-top: -0.5rem; }}
.lulu-flow.below.list > .item:first-child {{ margin-top: -0.3rem; }}
.lulu-flow.below.head > .item:first-child {{ margin-top: -0.1rem; }}
.lulu-flow > .code {{
  padding: 1rem; border-radius: 0.5rem; font-family: var(--st-code-font); font-size: 0.85rem; white-space: pre;
  overflow-x: auto; color: var(--st-code-text-color); background: var(--st-code-background-color);
}}
.lulu-flow code {{
  padding: 0.2em 0.4em; border-radius: 0.25rem; font-family: var(--st-code-font); font-size: 0.75em;
  color: var(--st-code-text-color); background: var(--st-code-background-color);
}}
[class*="st-key-flow_"]:has(> * .lulu-flow:empty) {{ position: absolute; width: 0; height: 0; overflow: hidden; }}
[data-testid="stLayoutWrapper"]:has(> .st-key-{LIVE_TEXT}):not(:has([data-testid="stMarkdown"], .lulu-flow > *)) {{
  position: absolute;
}}
[data-testid="stLayoutWrapper"]:has(> .st-key-{_WARM}), .st-key-{LIVE_TEXT} [data-testid="stSkeleton"] {{
  display: none;
}}
"""

_JS = (
    f"const TRANSCRIPT = '.st-key-{TRANSCRIPT}', LIVE = '.st-key-{LIVE_TEXT}';"
    r"""
const waiting = (window.luluHubWaiting ??= []);
const DRAWN = "[data-testid=stMarkdown]", LOOKED_AT = 8;
const FENCE = /^\s*(`{3,}|~{3,}).*\n?/, ITEM = /^\s*(?:[-*+]|(\d{1,9}[.)])) /, HEAD = /^(#{1,6}) /;
const MARKED = /(\*\*[^*\n]+\*\*|`[^`\n]+`)/;

// What is left of a text when it is drawn as markdown: its letters, without marks of lists, fences and addresses.
const UNSHOWN = /^\s*(?:`{3,}|~{3,}).*$|^\s*(?:[-*+]|\d{1,9}[.)]) |\]\([^)\n]*\)/gm;
const letters = (text) => text.replace(UNSHOWN, "").replace(/[^\p{L}\p{N}]/gu, "");

function endsWith(node, text) {
  const wanted = letters(text);
  return wanted !== "" && letters(node?.textContent ?? "").endsWith(wanted);
}

// A run's elements come before its data: what is drawn already is looked for on the page.
function isDrawn(text) {
  const last = [...document.querySelectorAll(`${TRANSCRIPT} ${DRAWN}`)].slice(-LOOKED_AT);
  return last.some((node) => endsWith(node, text));
}

// As lulu/paragraphs.py ends blocks.
function blocks(text) {
  const found = [""];
  let fence = "";
  for (const line of text.split(/(?<=\n)/)) {
    const marks = line.match(FENCE);
    if (!fence && (marks || ITEM.test(line) || HEAD.test(line))) found.push("");
    if (fence || line.trim() !== "") found[found.length - 1] += line;
    else found.push("");
    if (!fence) fence = marks?.[1] ?? "";
    else if (marks?.[1].startsWith(fence)) { fence = ""; found.push(""); }
  }
  return found.filter((block) => block.trim() !== "");
}

// What of a part comes below what is drawn of it.
function rest(part, { shown, seam }) {
  let skip = Math.max(0, shown - part.from);
  if (skip > 0 && !part.text.slice(0, skip).endsWith(seam.slice(-skip))) skip = 0;
  const live = document.querySelector(`${LIVE} ${DRAWN}`), begin = skip, end = part.finished - part.from;
  let at = skip;
  for (const block of blocks(part.text.slice(begin, end))) {
    at = part.text.indexOf(block, at) + block.length;
    if (endsWith(live, part.text.slice(begin, at))) skip = at;
  }
  // A block of code takes a moment to be drawn.
  const last = document.querySelector(`${LIVE} [data-testid=stSkeleton]`) && blocks(part.text.slice(0, skip)).at(-1);
  if (last && FENCE.test(last)) skip = part.text.lastIndexOf(last, skip);
  return part.text.slice(skip);
}

// What stands below the part that is drawn, oldest first. It ends before anything that only a run can draw.
function parts(told, drawn) {
  const found = [];
  const isOlder = told.latest.length > 0 && told.latest[0].id > drawn.upto && told.latest.length >= drawn.latest;
  if (isOlder) return found;
  for (const one of told.latest) {
    if (one.id <= drawn.upto) continue;
    if (one.text === undefined) return found;
    const left = rest(one, drawn);
    if (left.trim() !== "" && !isDrawn(left)) found.push(left);
  }
  if (told.writing) found.push(rest(told.writing, drawn));
  return found;
}

// Text that is the same stays: somebody may be selecting in it.
function put(node, text, kind) {
  const wanted = kind === "code" ? [text] : text.split(MARKED).filter((piece) => piece !== "");
  wanted.forEach((piece, at) => {
    const name = kind === "code" || !MARKED.test(piece) ? "#text" : piece[0] === "`" ? "CODE" : "STRONG";
    const words = name === "CODE" ? piece.slice(1, -1) : name === "STRONG" ? piece.slice(2, -2) : piece;
    let child = node.childNodes[at];
    if (child?.nodeName !== name) {
      const made = name === "#text" ? document.createTextNode("") : document.createElement(name);
      if (child) child.replaceWith(made); else node.append(made);
      child = made;
    }
    const text = name === "#text" ? child : (child.firstChild ?? child.appendChild(document.createTextNode("")));
    if (!words.startsWith(text.data)) text.data = words;
    else if (words.length > text.data.length) text.appendData(words.slice(text.data.length));
  });
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
}

function draw(box, texts) {
  const found = texts.flatMap(blocks);
  const above = document.querySelector(`${LIVE} ${DRAWN} [data-testid=stMarkdownContainer] > :last-child`);
  const name = above?.tagName ?? "";
  box.className = `lulu-flow${name && " below"}${/^[UO]L$/.test(name) ? " list" : /^H\d$/.test(name) ? " head" : ""}`;
  found.forEach((text, at) => {
    const node = box.children[at] ?? box.appendChild(document.createElement("div"));
    const fence = text.match(FENCE), item = text.match(ITEM), head = text.match(HEAD);
    const kind = fence ? "code" : item ? "item" : head ? `head h${head[1].length}` : "";
    if (node.className !== kind) node.className = kind;
    if (fence) put(node, text.slice(fence[0].length).replace(/\n?\s*(`{3,}|~{3,})\s*$/, ""), kind);
    else if (item) put(node, `${item[1] ?? "•"} ${text.slice(item[0].length).trimEnd()}`, kind);
    else put(node, text.slice(head?.[0].length ?? 0).trimEnd(), kind);
  });
  while (box.children.length > found.length) box.lastChild.remove();
}

function flow(hub, { key, data, parentElement }) {
  const box = parentElement.querySelector(".lulu-flow");
  const show = () => {
    const told = hub.last("text", data.topic);
    const isNewer = told !== undefined && told.number >= data.number;
    draw(box, isNewer ? parts(told, data) : data.writing ? [rest(data.writing, data)] : []);
  };
  // Before the next frame: what a run has drawn is not to be seen twice.
  const watch = new MutationObserver(() => { if (box.firstChild) { show(); watch.takeRecords(); } });
  const transcript = box.closest(TRANSCRIPT);
  if (transcript) watch.observe(transcript, { childList: true, characterData: true, subtree: true });
  const member = {
    topic: data.topic,
    text() { show(); window.luluNow?.heard?.(data.session); },
  };
  hub.join(key, member);
  show();
  return () => { watch.disconnect(); hub.leave(key, member); };
}

// Streamlit's client calls this with each run, and what it returned only when the element goes.
const takenDown = new WeakMap();

export default function (drawn) {
  takenDown.get(drawn.parentElement)?.();
  let takeDown = null, isGone = false;
  const enter = (hub) => { if (!isGone) takeDown = flow(hub, drawn); };
  if (window.luluHub) enter(window.luluHub); else waiting.push(enter);
  const leave = () => { isGone = true; takeDown?.(); takeDown = null; };
  takenDown.set(drawn.parentElement, leave);
  return leave;
}
"""
)

_mount = st.components.v2.component("lulu_flow", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def show(session_id: str, written: LiveText | None, *, number: int, upto: int, kind: str = flowing.OWN) -> None:
    """Draw what is finished of the text that is being written, and the place where the rest comes.

    ``number`` is ``Bus.version(text_topic(session_id))``, read before ``written``; events to the id ``upto`` are drawn
    already. ``kind`` is ``flowing.SHARED`` on a guest's page.
    """
    with st.container(key=LIVE_TEXT):
        if written is not None and written.kind != Text.type:
            st.caption("Thinking…")
            written = None
        shown = plain(written.text) if written else ""
        end = finished(shown)
        if shown[:end].strip():
            st.markdown(safe_markdown(shown[:end]))
        with st.container(key=_WARM):
            st.code(" ", language=None)
        data: dict[str, Any] = {
            "session": session_id,
            "topic": f"{kind}:{session_id}",
            "number": number,
            "upto": upto,
            "latest": flowing.LATEST,
            "shown": flowing.units(shown[:end]),
            "seam": shown[:end][-_SEAM:],
            "writing": flowing.part(shown, end) if shown else None,
        }
        _mount(key=f"flow_{session_id}", data=data, height="content")
