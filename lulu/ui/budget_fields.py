"""The two fields for a session's limits, and what stands in them."""

from __future__ import annotations

import streamlit as st

from lulu.ui.state import picked

#: What the limits mean.
MEANING = "Limits apply from the next prompt. The cost is checked after each step, so a session can end slightly over."


def show_fields(cost_key: str, turns_key: str, cost: float | None, turns: int | None) -> None:
    """Two fields that may be empty: the most a session may cost, and the most round trips of one prompt."""
    st.number_input(
        "Cost limit (US dollars)", min_value=0.0, value=cost, step=1.0, format="%.2f", key=cost_key, placeholder="None"
    )
    st.number_input("Steps per prompt", min_value=0, value=turns, step=1, key=turns_key, placeholder="None")


def number(key: str) -> float | None:
    """What stands in a number field; nothing where it is empty or zero."""
    found = picked(key)
    return float(found) if isinstance(found, int | float) and found else None


def whole_number(key: str) -> int | None:
    """The same, as a whole number."""
    found = number(key)
    return None if found is None else int(found)
