"""Keeps the address of the window at the session that it shows.

Streamlit's client writes a new address when the page changes, and not when the same page gets another query: without
this, a click from session to session would leave the old one's address, and a reload would show that.
"""

from __future__ import annotations

import streamlit as st

_JS = """
let shown = null;
const isStale = () => shown && location.pathname === shown.path && idOf(location.search) !== shown.id;
// Back and forward: Streamlit reruns the page for the address that it finds. If it does not, a reload does.
window.addEventListener("popstate", () => setTimeout(() => isStale() && location.reload(), 1500));
const idOf = (search) => new URLSearchParams(search).get("id");

export default function ({ data }) {
  if (shown && shown.id === data.id) return;
  const before = shown;
  shown = { id: data.id, path: location.pathname };
  if (idOf(location.search) === data.id) return;
  const address = location.pathname + "?" + new URLSearchParams({ id: data.id });
  if (before) history.pushState({}, "", address); else history.replaceState({}, "", address);
}
"""
_mount = st.components.v2.component("lulu_address", js=_JS)


def keep(session_id: str) -> None:
    """Say which session the window shows."""
    _mount(data={"id": session_id}, key="address", height="content")
