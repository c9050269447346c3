"""Brings the marked event into view, once for each link that leads to one, and marks in it what was searched for.

A constant script; it is told a number. What was searched for it reads from the tab's own memory, where ``links`` left
it, and marks it as the browser marks a selection (CSS Custom Highlight): no element is added, and nothing is HTML.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.styles import MARKED

_JS = (
    f"const MARKED = '.st-key-{MARKED}';"
    """
const FOUND = "lulu-found", MOST = 200;
document.head.append(Object.assign(document.createElement("style"), { textContent:
  "::highlight(lulu-found) { background: light-dark(#ffe58a, #6b5300); color: light-dark(#1b1d22, #fff7dc); }" }));

// The words of a query, as the search reads it: a quotation is one.
const wordsOf = (query) =>
  [...query.matchAll(/"([^"]+)"|(\\S+)/g)].map(([, quoted, word]) => (quoted ?? word).toLowerCase());

function highlight(marked, event) {
  let found = null;
  try { found = JSON.parse(sessionStorage.getItem(FOUND)); } catch { /* a private window */ }
  if (!globalThis.Highlight || !found || found.event !== `${event}`) return;
  const words = wordsOf(found.query), ranges = [];
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
"""
)


_mount = st.components.v2.component("lulu_marker", js=_JS)


def scroll_to_marked(event_id: int) -> None:
    """Scroll to what ``render`` has marked."""
    _mount(data={"event": event_id}, key="marker", height="content")
