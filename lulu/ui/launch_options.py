"""The fields for a new session: folder, model, permissions, title and limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lulu.model.sessions import Launch, Session
from lulu.model.validation import checked_folder
from lulu.runtime import Runtime
from lulu.ui import budget_fields, formats
from lulu.ui.state import put_back, typed
from lulu.ui.styles import CWD, MODEL, PERMISSION_MODE, TITLE

#: Aliases that Claude Code resolves itself. Any other model name can be typed.
MODEL_ALIASES = ("opus", "sonnet", "haiku")
DEFAULT_MODEL = "Default model"

_MAX_COST = "max_cost"
_MAX_TURNS = "max_turns"


def show(lulu: Runtime, draft: Session | None = None) -> None:
    """Draw the fields with the defaults or a draft's values. A draft's id is part of their keys."""
    settings = lulu.settings
    suffix = _suffix(draft)
    first, second, third, fourth = st.columns([5, 3, 3, 3])
    recent = [folder for folder in lulu.store.sessions.recent_folders() if Path(folder).is_dir()]
    own_folder = draft.working_directory if draft else None
    with first, st.container(horizontal=True, wrap=False, vertical_alignment="bottom", gap="xsmall"):
        # No select box with new options: of text that is typed over a value, it keeps only the difference.
        st.text_input(
            "Folder",
            value=own_folder or str(settings.working_directory),
            key=CWD + suffix,
            placeholder="An absolute path",
        )
        _recent_folders(_choices(str(settings.working_directory), *recent), CWD + suffix)
    own_model = (draft.model or DEFAULT_MODEL) if draft else settings.model
    second.selectbox(
        "Model", _choices(own_model, DEFAULT_MODEL, *MODEL_ALIASES), key=MODEL + suffix, accept_new_options=True
    )
    third.selectbox(
        "Permissions",
        _choices(draft.permission_mode if draft else None, settings.permission_mode, *formats.MODES),
        key=PERMISSION_MODE + suffix,
        format_func=formats.mode,
        help=formats.MODES_HELP,
    )
    fourth.text_input(
        "Title",
        value=(draft.title if draft else None) or "",
        key=TITLE + suffix,
        placeholder="Optional",
        max_chars=200,
    )
    # Drawn also while it is closed: Streamlit forgets the value of a field that is not drawn.
    with st.popover("Limits", icon=":material/speed:", type="tertiary", key=f"limits{suffix}"):
        budget_fields.show_fields(
            _MAX_COST + suffix,
            _MAX_TURNS + suffix,
            draft.max_cost_usd if draft else settings.max_cost_usd,
            draft.max_turns if draft else settings.max_turns,
        )
        st.caption(budget_fields.MEANING)


def _recent_folders(found: Sequence[str], field: str) -> None:
    """Draw a menu of recent folders; a click writes one into the field."""
    with st.popover("", icon=":material/folder_open:", help="Recent folders", key=f"recent_{field}"):
        for place, folder in enumerate(found):
            st.button(
                formats.code(folder),
                key=f"recent_{field}_{place}",
                type="tertiary",
                on_click=put_back,
                args=(field, folder),
            )


def _choices(*values: str | None) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def read(lulu: Runtime, prompt: str, draft: Session | None = None) -> Launch:
    """Return the values of the fields. Raises ``InputError`` if the folder cannot be used."""
    suffix = _suffix(draft)
    model = typed(MODEL + suffix).strip()
    return Launch(
        prompt=prompt,
        working_directory=checked_folder(typed(CWD + suffix) or str(lulu.settings.working_directory)),
        model=None if model in ("", DEFAULT_MODEL) else model,
        permission_mode=typed(PERMISSION_MODE + suffix) or lulu.settings.permission_mode,
        title=typed(TITLE + suffix).strip() or None,
        agent=lulu.agent.kind,
        max_cost_usd=budget_fields.number(_MAX_COST + suffix),
        max_turns=budget_fields.whole_number(_MAX_TURNS + suffix),
    )


def folder(lulu: Runtime, draft: Session | None = None) -> str:
    """Return the value of the folder field, also before it is drawn."""
    own = draft.working_directory if draft else None
    return typed(CWD + _suffix(draft)).strip() or own or str(lulu.settings.working_directory)


def _suffix(draft: Session | None) -> str:
    return f"_{draft.id}" if draft else ""
