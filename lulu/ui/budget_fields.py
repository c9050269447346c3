"""The two fields for a session's limits, and their values."""

from __future__ import annotations

import streamlit as st

from lulu.ui.state import picked

#: Explanation of the limits for the person.
MEANING = "Limits apply from the next prompt. The cost is checked after each step, so a session can end slightly over."


def show_fields(cost_key: str, turns_key: str, cost: float | None, turns: int | None) -> None:
    """Draw two optional fields: the most US dollars of a session, and the most steps of one prompt."""
    st.number_input(
        "Cost limit (US dollars)", min_value=0.0, value=cost, step=1.0, format="%.2f", key=cost_key, placeholder="None"
    )
    st.number_input("Steps per prompt", min_value=0, value=turns, step=1, key=turns_key, placeholder="None")


def number(key: str) -> float | None:
    """Return the value of a number field; None if it is empty or zero."""
    found = picked(key)
    return float(found) if isinstance(found, int | float) and found else None


def whole_number(key: str) -> int | None:
    """Return the value of a number field as an integer; None if it is empty or zero."""
    found = number(key)
    return None if found is None else int(found)
