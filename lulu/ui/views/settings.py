"""The Settings page: agent, rules, folders, access and variables. It never shows a credential's value."""

from __future__ import annotations

import streamlit as st

from lulu.runtime import Runtime
from lulu.settings import PREFIX, Settings
from lulu.text.labels import safe_label
from lulu.ui import formats, navigation
from lulu.ui.page_context import PageContext
from lulu.ui.sharing import lan
from lulu.ui.styles import VALUES
from lulu.ui.views import folders, rules


def show(page: PageContext) -> None:
    """Draw the page."""
    st.title("Settings", anchor=False)
    show_agent(page.lulu)
    rules.show(page)
    folders.show(page)
    st.header("Access", anchor=False)
    lan.show_switch(page)
    with st.container(horizontal=True):
        st.page_link(navigation.devices(), label="Devices", icon=":material/devices:")
        st.page_link(navigation.audit(), label="Audit", icon=":material/history:")
    st.header("Current settings", anchor=False)
    st.caption(
        "Set a variable in the environment or in a file named .env in the folder that Lulu is started in, then restart."
    )
    with st.container(key=VALUES):
        st.markdown(setting_table(page.lulu.settings))
    st.caption(f"Database: {formats.code(str(page.lulu.settings.database_path), 400)}")


def show_agent(lulu: Runtime) -> None:
    """Draw the agent that Lulu uses, its kind of credential, and how to switch."""
    st.header("Agent", anchor=False)
    credential = safe_label(lulu.agent.credential or "none found")
    st.markdown(f"**{formats.agent(lulu.agent.kind).capitalize()}** · credential: {credential}")
    st.markdown(safe_label(lulu.agent.explanation, 400))


def setting_table(settings: Settings) -> str:
    """Return the settings as a markdown table. Values are code, so markup in them has no effect."""
    lines = ["| Variable | Value | From | What it does |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        cells = [
            formats.code((PREFIX + name).upper()),
            formats.code(_shown(value), 200) if value is not None else ":gray[not set]",
            settings.source_of(name),
            field.description or "",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
