"""Reads what a page shows."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def text_of(app: AppTest) -> str:
    """Everything that the page says, as it was handed to Streamlit."""
    assert not app.exception, [element.value for element in app.exception]
    kinds = ("markdown", "caption", "text", "code", "error", "warning", "header", "subheader", "title")
    said = [str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *folds(app).values()])


def links(app: AppTest) -> list[str]:
    """The labels of all page links, the sidebar's first."""
    return [link.proto.label for root in (app.sidebar, app.main) for link in root.get("page_link")]


def rows(app: AppTest) -> list[str]:
    """The labels of the session list."""
    return [link.proto.label for link in app.sidebar.get("page_link") if "id=" in link.proto.query_string]


def folds(app: AppTest) -> dict[str, str]:
    """The label of each fold on the page, by its key."""
    return {fold.proto.id.split("-", 2)[2]: str(getattr(fold, "label", "")) for fold in app.get("expander")}


def open_folds(app: AppTest) -> AppTest:
    """Open every fold on the page, as a reader would."""
    for key in folds(app):
        app.session_state[key] = True
    return app.run()
