import { FOUND, get } from "./storage.js";

const MARKED = ".st-key-marked",
  MOST = 200;

// The words of a query, as the search reads it: a quotation is one.
const wordsOf = (query) =>
  [...query.matchAll(/"([^"]+)"|(\S+)/g)].map(([, quoted, word]) => (quoted ?? word).toLowerCase());

function highlight(marked, event) {
  const found = get("sessionStorage", FOUND);
  if (!globalThis.Highlight || !found || found.event !== `${event}`) return;
  const words = wordsOf(found.query),
    ranges = [];
  const texts = document.createTreeWalker(marked, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node && ranges.length < MOST; node = texts.nextNode()) {
    const text = node.data.toLowerCase();
    if (text.length !== node.data.length) continue;
    for (const word of words)
      for (let at = text.indexOf(word); at >= 0 && ranges.length < MOST; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
  }
  CSS.highlights.set(FOUND, new Highlight(...ranges));
}

let shown = null;
export default function ({ data }) {
  if (data.event === shown) return;
  shown = data.event;
  let tries = 40;
  const look = () => {
    const marked = document.querySelector(MARKED);
    if (marked) {
      marked.scrollIntoView({ block: "center" });
      highlight(marked, data.event);
    }
    // The page may still grow above it, or bring its own end into view.
    if (--tries > 0) setTimeout(look, marked && tries > 8 ? 60 : 25);
  };
  look();
}
