"""Says in a bar that Lulu cannot be reached, or does not answer, and what that means. A constant script."""

from __future__ import annotations

import streamlit as st

_CSS = """
.lulu-outage {
  position: fixed; z-index: 1000000; inset: 0.75rem 0 auto; width: fit-content;
  max-width: min(44rem, calc(100vw - 2rem));
  margin-inline: auto; padding: 0.6rem 1rem; border-radius: 0.5rem; font-size: 0.9rem; line-height: 1.45;
  color: light-dark(#7c2d12, #fed7aa); background: light-dark(#fff7ed, #3a2415);
  border: 1px solid light-dark(#fdba74, #9a5a26); box-shadow: 0 4px 16px rgb(0 0 0 / 18%);
}
"""

_JS = (
    f"const CSS = {_CSS!r};"
    r"""
const LOOK = 500, PATIENCE = 3000;
const GONE = "Lulu is not running, or cannot be reached.";
const SILENT = "Lulu does not answer.";
const SAFE = {
  owner: "What agents did up to here is saved, and what you type stays in this browser. If Lulu has ended, start it " +
    "again with: make run. This page comes back by itself.",
  guest: "Nothing is lost. This page comes back by itself.",
};

function makeOutage() {
  const bar = Object.assign(document.createElement("div"), { className: "lulu-outage" });
  bar.setAttribute("role", "alert");
  const style = Object.assign(document.createElement("style"), { textContent: CSS });
  let since = 0, before = "", who = "guest";
  setInterval(() => {
    const app = document.querySelector(".stApp");
    const isGone = app?.getAttribute("data-test-connection-state") !== "CONNECTED";
    // Asked for a run, and none has begun: the server stands still.
    const isSilent = app?.getAttribute("data-test-script-state") === "rerunRequested";
    const now = isGone ? GONE : isSilent ? SILENT : "";
    if (now !== before) { since = performance.now(); before = now; }
    if (!now || document.hidden) { bar.remove(); return; }
    if (performance.now() < since + PATIENCE || bar.isConnected) return;
    bar.replaceChildren(style, Object.assign(document.createElement("b"), { textContent: now }), ` ${SAFE[who]}`);
    document.body.append(bar);
  }, LOOK);
  return { whoLooks(role) { who = role; } };
}

export default function ({ data }) { (window.luluOutage ??= makeOutage()).whoLooks(data.who); }
"""
)

_mount = st.components.v2.component("lulu_outage", js=_JS)


def watch(*, is_owner: bool) -> None:
    """Draw the bar where it is needed; called once in each run of the whole page."""
    _mount(key="outage", data={"who": "owner" if is_owner else "guest"}, height="content")
