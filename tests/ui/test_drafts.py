"""Drafts: kept, edited, launched, deleted, with their files."""

from __future__ import annotations

from functools import partial

import pytest

from lulu.errors import InputError
from lulu.model.commands import SaveDraft
from lulu.model.events import User
from lulu.model.sessions import Launch, SessionStatus, new_session_id
from lulu.model.validation import Attachment
from lulu.runtime import Runtime
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import links, text_of
from tests.ui.test_cockpit import GIF, NewSession, prompts


def test_a_draft_is_kept_edited_and_launched(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page()
    app.toggle(key="as_draft").set_value(True)
    app.number_input(key="max_turns").set_value(9)
    app.chat_input(key="prompt").set_value("Tell me a story").run()
    (draft,) = lulu.store.sessions.latest()
    kept = (draft.status, draft.max_turns)
    listed = any("Tell me a story" in label for label in links(app))

    app = open_page("session", id=draft.id)
    app.text_area(key=f"prompt_{draft.id}").set_value("echo a better story")
    app.button(key=f"save_{draft.id}").click().run()
    saved = lulu.store.sessions.get(draft.id).prompt
    app.button(key=f"launch_{draft.id}").click().run()

    assert kept == ("draft", 9)
    assert listed
    assert saved == "echo a better story"
    eventually(lambda: prompts(lulu, draft.id) == ["echo a better story"])
    assert len(lulu.store.sessions.latest()) == 1


def test_a_draft_is_deleted(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    draft_id = new_session("later", status=SessionStatus.DRAFT)
    app = open_page("session", id=draft_id)

    app.toggle(key=f"discard_sure_{draft_id}").set_value(True).run()
    app.button(key=f"discard_{draft_id}").click().run()

    assert lulu.store.sessions.latest() == []


def test_a_draft_keeps_its_files(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page()
    app.toggle(key="as_draft").set_value(True)
    box = app.chat_input(key="prompt").set_value("echo Look")
    for name in ("a.gif", "b.gif"):
        box.upload(name, GIF, "image/gif")
    app.run()
    (draft,) = lulu.store.sessions.latest()
    files = lulu.store.commands.files_of(draft.id)

    app = open_page("session", id=draft.id)
    shown = text_of(app)
    app.button(key=f"remove_file_{min(files)}").click().run()
    app.button(key=f"save_{draft.id}").click().run()
    app.button(key=f"launch_{draft.id}").click().run()

    assert [file.name for file in files.values()] == ["a.gif", "b.gif"]
    assert "a.gif" in shown
    assert not app.error
    eventually(lambda: prompts(lulu, draft.id) == ["echo Look"])
    sent = lulu.store.events.of_session(draft.id)[0].event
    assert isinstance(sent, User)
    assert sent.attachments == [max(files)]


def test_a_draft_keeps_as_many_files_as_a_prompt_may_have(lulu: Runtime, new_session: NewSession) -> None:
    launch, draft_id = Launch(prompt="x", working_directory="/", agent="demo"), new_session_id()
    file = Attachment(name="a.gif", media_type="image/gif", content=GIF)
    save = partial(SaveDraft, actor=OWNER, session_id=draft_id, launch=launch)
    lulu.store.commands.submit(save(attachments=[file] * 9))

    with pytest.raises(InputError, match="At most 10 files"):
        lulu.store.commands.submit(save(attachments=[file] * 2))

    assert len(lulu.store.commands.files_of(draft_id)) == 9
