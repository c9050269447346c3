"""The tiny app's page: ``?view=text`` draws the payloads, else a transcript and a list that are rung."""

import streamlit as st

from lulu.text.labels import safe_badge, safe_label, safe_markdown
from lulu.text.plain import plain
from lulu.ui.browser import page_head, scroll
from lulu.ui.browser.doorbell import bell, hub
from lulu.ui.styles import TRANSCRIPT
from tests.e2e.edge import payloads, stage


def draw_text() -> None:
    """Every payload in every place that takes markdown."""
    for index, line in enumerate([*payloads.LINES, *payloads.STARTS, *payloads.MARKED, *payloads.REPLACED]):
        with st.container(key=f"label_{index}"):
            label = safe_label(line, limit=200)
            st.button(label, key=f"button_{index}")
            st.page_link("https://example.org", label=label)
            with st.expander(label):
                st.write("inside")
            st.markdown(safe_badge(line, "gray"))
            st.checkbox(label, key=f"check_{index}")
    for index, line in enumerate([*payloads.LINES, *payloads.MARKED, *payloads.REPLACED]):
        with st.container(key=f"line_{index}"):
            st.markdown(safe_markdown(line))
            with st.chat_message("user"):
                st.markdown(safe_markdown(line, line_breaks=True))
    for index, block in enumerate(payloads.BLOCKS):
        with st.container(key=f"block_{index}"):
            st.markdown(safe_markdown(block))
    with st.container(key="code"):
        for text in (f"```python\n{payloads.CODE}\n```", payloads.CODE.replace("if", "    if").replace("\n", "\n    ")):
            st.markdown(safe_markdown(text))
        st.markdown(safe_markdown("a `` b`c $x$ :red[d] `` span and\n\n- list\n\n  ```\n  in\n   list\n  ```"))
        st.code(plain(payloads.CODE), language=None)
    with st.container(key="kept"):
        st.markdown(
            safe_markdown(
                "# Title\n\nsome *em*, **strong**, ~~gone~~ and `code`, [a link](https://example.org/a_b?c=d&e), "
                "<https://example.org/auto>, https://example.org/bare_one_(x). me@example.org\n\n"
                "1. one\n2. two\n   - deep\n\n- [x] done\n\n> quoted\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n---\n"
            )
        )
    st.text("drawn")


@st.fragment
def draw_tail() -> None:
    """The transcript's open end."""
    seen = stage.bus.version("session:abc")
    stage.runs["tail"] += 1
    scroll.keep("abc", str(len(stage.lines)))
    with st.container(key="lines", gap=None):
        for line in stage.lines[-100:]:
            st.text(line)
    bell("session:abc", seen=seen, key="tail")


@st.fragment
def draw_side() -> None:
    """The session list."""
    seen = stage.bus.version("sessions")
    stage.runs["side"] += 1
    st.text(f"{len(stage.lines)} lines")
    bell("sessions", seen=seen, key="side")


def draw_live() -> None:
    """A page as Lulu's session page is built: history, a fold, the live end, the composer."""
    hub()
    with st.sidebar:
        st.checkbox("Hide", key="hidden")
        if not st.session_state.hidden:
            draw_side()
            st.text("beside")
    with st.container(key=TRANSCRIPT):
        for number in range(60):
            st.text(f"history {number}")
        with st.expander("a fold", key="fold"):
            st.text("inside the fold")
    st.text("above")
    st.text("before")
    if st.session_state.get("hidden"):
        st.text("without bells")
    else:
        draw_tail()
        st.text("after")
    with st.bottom:
        st.chat_input("Say", key="prompt", on_submit=lambda: stage.lines.append(f"> {st.session_state.prompt}"))


stage.runs["page"] += 1
st.html(page_head.STYLE)
if st.query_params.get("view") == "text":
    draw_text()
else:
    draw_live()
