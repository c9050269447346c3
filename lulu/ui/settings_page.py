"""The settings in force, where each comes from, and which agent is at work. Never the value of a credential."""

from __future__ import annotations

import streamlit as st

from lulu.runtime import Runtime
from lulu.settings import PREFIX, Settings
from lulu.ui import wording
from lulu.ui.text import safe_label


def show(lulu: Runtime) -> None:
    """Draw the page."""
    st.header("Settings", anchor=False)
    show_agent(lulu)
    st.subheader("Values in force", anchor=False)
    st.caption(
        "Set a variable in the environment or in a file named .env in the folder that Lulu is started in, then restart."
    )
    st.table(setting_rows(lulu.settings), hide_index=True)
    st.caption(f"Database: {wording.code(str(lulu.settings.database_path), 400)}")


def show_agent(lulu: Runtime) -> None:
    """Which agent is at work, with which kind of credential, and how to switch."""
    st.subheader("Agent", anchor=False)
    credential = safe_label(lulu.agent.credential or "none found")
    st.markdown(f"**{wording.agent(lulu.agent.kind).capitalize()}** · credential: {credential}")
    st.markdown(safe_label(lulu.agent.explanation, 400))


def setting_rows(settings: Settings) -> dict[str, list[str]]:
    """The table, a column a key. Every cell is safe as markdown."""
    table: dict[str, list[str]] = {"Variable": [], "Value": [], "From": [], "What it does": []}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        table["Variable"].append(wording.code((PREFIX + name).upper()))
        table["Value"].append(wording.code(_shown(value), 200) if value is not None else ":gray[not set]")
        table["From"].append(settings.source_of(name))
        table["What it does"].append(field.description or "")
    return table


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
