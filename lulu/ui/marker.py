"""Brings the marked event into view, once for each link that leads to one. A constant script; it is told a number."""

from __future__ import annotations

import streamlit as st

from lulu.ui.look import MARKED

_JS = (
    f"const MARKED = '.st-key-{MARKED}';"
    """
let shown = null;
export default function ({ data }) {
  if (data.event === shown) return;
  shown = data.event;
  let tries = 40;
  const look = () => {
    const marked = document.querySelector(MARKED);
    if (marked) marked.scrollIntoView({ block: "center" });
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
