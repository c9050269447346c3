"""Checks small parts of pages: buttons, notifications, explanations of modes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.ui import formats, styles
from tests.ui.conftest import OpenPage
from tests.ui.support import ask

NewSession = Callable[..., SessionId]


def test_stop_in_the_inbox_is_less_than_an_answer(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)

    app = open_page("inbox")

    kinds = {button.key: button.proto.type for button in app.button if button.key}
    assert kinds["stop_a1"] == "tertiary"
    assert kinds["approve_a1"] == "primary"


def asked_beside(app: AppTest) -> list[str | None]:
    """The session beside which it is asked whether to notify, as each part of the page is told."""
    told = [one.proto for one in app.sidebar.get("bidi_component") if one.proto.component_name == "lulu_signals"]
    return [json.loads(one.json)["started"] for one in told]


@pytest.mark.parametrize("page", ["home", "inbox", "search"])
def test_notifications_are_not_asked_about_on_any_other_page(
    open_page: OpenPage, new_session: NewSession, working: SessionId, page: str
) -> None:
    assert asked_beside(open_page(page)) == [None]


def test_notifications_are_asked_about_beside_a_session_that_works(
    open_page: OpenPage, new_session: NewSession, working: SessionId
) -> None:
    done = new_session(status=SessionStatus.COMPLETED)

    assert asked_beside(open_page("session", id=working)) == [working]
    assert asked_beside(open_page("session", id=done)) == [None]


def test_each_permission_mode_is_explained_where_one_is_chosen(open_page: OpenPage) -> None:
    (choice,) = [box for box in open_page().selectbox if box.key == styles.PERMISSION_MODE]

    assert choice.help == formats.MODES_HELP
    assert [mode for mode in formats.MODES.values() if mode.removesuffix(" (dangerous)") not in choice.help] == []
