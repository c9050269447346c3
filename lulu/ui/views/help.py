"""The Help page: keys, notifications, and what happens when an agent asks."""

from __future__ import annotations

import streamlit as st

from lulu.ui import formats
from lulu.ui.browser import keyboard, notifications


def show() -> None:
    """Draw the page."""
    st.title("Help", anchor=False)
    st.header("Keys", anchor=False)
    lines = ["| Key | What it does |", "|---|---|"]
    lines += [f"| {formats.code(key)} | {meaning} |" for key, meaning in keyboard.MEANINGS.items()]
    st.markdown("\n".join(lines))
    st.header("Notifications", anchor=False)
    st.caption("Saved in this browser. The tab title always shows how many sessions are waiting.")
    notifications.show_switch()
    st.header("When an agent asks", anchor=False)
    st.markdown(
        "- A request waits as long as it takes. The first answer wins; everybody sees who gave it.\n"
        "- *Approve and don't ask again* makes a rule. Rules stand on the Settings page, where they can be tried, "
        "switched off and deleted. A rule that denies holds in every permission mode.\n"
        "- *Stop* interrupts a turn and keeps the session; type to go on.\n"
        "- What you type while an agent works is queued, and stays yours to edit until the agent has it."
    )
