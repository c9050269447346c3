"""Reads what a page shows, and asks what an agent would."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from streamlit.testing.v1 import AppTest

from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.store import Approval


def text_of(app: AppTest) -> str:
    """Everything that the page says, as it was handed to Streamlit."""
    assert not app.exception, [element.value for element in app.exception]
    kinds = ("markdown", "caption", "text", "code", "error", "warning", "info", "header", "subheader", "title")
    said = [str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *folds(app).values()])


def links(app: AppTest) -> list[str]:
    """The labels of all page links, the sidebar's first."""
    return [link.proto.label for root in (app.sidebar, app.main) for link in root.get("page_link")]


def rows(app: AppTest) -> list[str]:
    """The rows of the session list, as they are written: pin, title, status, folder and age; the open one in stars.

    None where there is no list: a guest has none.
    """
    components = (component.proto for component in app.sidebar.get("bidi_component"))
    lists = [json.loads(one.json) for one in components if one.component_name == "lulu_session_list"]
    if not lists:
        return []
    (told,) = lists
    labels = []
    for row in told["rows"]:
        title = f"**{row['title']}**" if row["id"] == told["open"] else row["title"]
        pin = "Pinned: " if row["pinned"] else ""
        labels.append(f"{pin}{title} {row['colour']}[● {row['status']}] · {row['more']}")
    return labels


def needs_you(app: AppTest) -> list[str]:
    """The heading and the titles of the group above the session list; nothing where none waits."""
    components = (component.proto for component in app.sidebar.get("bidi_component"))
    (told,) = [json.loads(one.json) for one in components if one.component_name == "lulu_needs_you"]
    return [told["heading"], *(row["title"] for row in told["rows"])] if told["rows"] else []


def folds(app: AppTest) -> dict[str, str]:
    """The label of each fold on the page, by its key."""
    return {fold.proto.id.split("-", 2)[2]: str(getattr(fold, "label", "")) for fold in app.get("expander")}


def open_folds(app: AppTest) -> AppTest:
    """Open every fold on the page, as a reader would."""
    for key in folds(app):
        app.session_state[key] = True
    return app.run()


def ask(lulu: Runtime, session_id: SessionId, approval_id: str = "a1", **fields: object) -> None:
    """An agent asks: to use Bash, unless ``fields`` say otherwise."""
    lulu.store.approvals.ask(approval(session_id, approval_id, **fields)).result(30)


def approval(session_id: SessionId, approval_id: str = "a1", **fields: object) -> Approval:
    """An open request: to use Bash, unless ``fields`` say otherwise."""
    values: dict[str, object] = {
        "tool_name": "Bash",
        "tool_input": {"command": "rm -r build", "timeout": 5},
        "agent_id": None,
        **fields,
    }
    return Approval(
        id=approval_id,
        session_id=session_id,
        tool_use_id=None,
        suggestions=[],
        status="pending",
        updated_input=None,
        reason="Deletes files",
        message=None,
        decided_by=None,
        rule_id=None,
        created_at=datetime.now(UTC),
        decided_at=None,
        **values,  # type: ignore[arg-type]
    )


def keys_of(app: AppTest, kind: str = "button") -> list[str]:
    """The keys of all widgets of a kind, in the order of the page."""
    return [str(widget.key) for widget in app.get(kind)]


def open_popover(app: AppTest, key: str) -> AppTest:
    """Open a popover, as a click on it would."""
    app.session_state[key] = True
    return app.run()
