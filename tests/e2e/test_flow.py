"""Text that is being written, in a real browser: it comes without a run, and no frame loses or doubles a word."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import at_rest, page_eventually, steady
from tests.e2e.prompts import PATIENCE
from tests.e2e.test_twenty_guests import ask
from tests.support import ROOT, LuluServer
from tests.tiers import keep_short

#: Notes what the last message shows, in each frame in which that has changed.
_NOTE_FRAMES = """() => {
  window.frames = [];
  const look = () => {
    const shown = [...document.querySelectorAll("[data-testid=stChatMessage]")].at(-1)?.innerText ?? "";
    if (shown !== frames.at(-1)) frames.push(shown);
    requestAnimationFrame(look);
  };
  look();
}"""

#: Resolves with the next frame but one.
_FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

#: Each word is a number that stands once.
_BLOCKS = [
    "{} {} **{} {}** {} `{}`",
    "- {} {}\n- {}\n- **{}** {}",
    "## {} {}",
    "{} {} {}",
    "```python\n{} = {}\n\n{}\n```",
    "1. {}\n2. {} {}",
    "{} {}",
]
#: Frames in a row in which something that was seen may be missing.
_STEPS = 2
_WORD = re.compile(r"w(\d+)e")


def text_of_words() -> str:
    """All kinds of blocks, twice."""
    blocks = "\n\n".join(_BLOCKS * 2)
    return blocks.format(*(f"w{number}e" for number in range(blocks.count("{}"))))


@pytest.fixture
def lulu(server: NewServer) -> LuluServer:
    bench = ROOT / "scripts" / "bench" / "app.py"
    made = server(env={"LULU_AGENT": "demo", "PYTHONPATH": str(ROOT)}, script=bench, start=False)
    shutil.copytree(ROOT / ".streamlit", made.work_dir / ".streamlit")
    made.start()
    return made


def open_stage(viewer: Viewer, lulu: LuluServer) -> str:
    """The page of a session that runs, once it says something; the session's id."""
    session_id: str = ask(lulu, "stage")["id"]
    ask(lulu, "append", id=session_id, text="It begins.")
    viewer.sign_in(lulu)
    viewer.page.goto(f"{lulu.url}/session?id={session_id}")
    expect(viewer.page.get_by_text("It begins.").first).to_be_visible(timeout=PATIENCE)
    page_eventually(
        viewer.page, lambda: viewer.page.evaluate(f"window.luluHub?.last('text', 'text:{session_id}') !== undefined")
    )
    return session_id


def test_words_come_without_a_run(lulu: LuluServer, new_viewer: Callable[..., Viewer]) -> None:
    viewer = new_viewer(signed_in=False)
    runs: list[object] = []

    def note_run(frame: bytes | str) -> None:
        # A session that runs is looked at every ten seconds, whatever comes.
        if isinstance(frame, bytes) and not BackMsg.FromString(frame).rerun_script.is_auto_rerun:
            runs.append(frame)

    def note(socket: WebSocket) -> None:
        if socket.url.endswith("/_stcore/stream"):
            socket.on("framesent", note_run)

    viewer.page.on("websocket", note)
    session_id = open_stage(viewer, lulu)
    ask(lulu, "write", id=session_id, text="One")
    expect(viewer.page.get_by_text("One", exact=True).first).to_be_visible()
    # The run that draws the beginning of the block.
    page_eventually(viewer.page, lambda: viewer.page.locator(".st-key-live_text .lulu-flow").count() == 1)
    at_rest(viewer.page)
    before = steady(viewer.page, lambda: len(runs))

    for number in range(20):
        written = "One" + "".join(f" more{word}." for word in range(number + 1))
        ask(lulu, "write", id=session_id, text=written)
        expect(viewer.page.get_by_text(f" more{number}.").first).to_be_visible()

    assert len(runs) == before
    assert viewer.console_errors == []


def frames_of(page: Page) -> list[list[int]]:
    """The words of each frame, as numbers."""
    return [[int(word) for word in _WORD.findall(frame)] for frame in page.evaluate("frames")]


@pytest.mark.parametrize("scheme", keep_short(1, "light", "dark"))
def test_no_frame_loses_or_doubles_a_word(lulu: LuluServer, new_viewer: Callable[..., Viewer], scheme: Any) -> None:
    viewer = new_viewer(signed_in=False, color_scheme=scheme)
    page = viewer.page
    session_id = open_stage(viewer, lulu)
    text = text_of_words()
    count = len(_WORD.findall(text))
    page.evaluate(_NOTE_FRAMES)

    # As an agent writes: a little more each time, a paragraph ends here and there.
    for end in [*range(5, len(text), 5), len(text)]:
        ask(lulu, "write", id=session_id, text=text[:end])
        # A page that stands still for a moment is waited for, else it would see all of it at once.
        page.evaluate(_FRAME)
    expect(page.get_by_text(f"w{count - 1}e").first).to_be_visible()
    ask(lulu, "finish", id=session_id, text=text)
    page_eventually(page, lambda: page.locator(".lulu-flow > div").count() == 0)
    ask(lulu, "append", id=session_id, text="It has ended.")
    expect(page.get_by_text("It has ended.").first).to_be_visible()

    frames = frames_of(page)
    assert frames[-1] == list(range(count))
    assert [frame for frame in frames if frame != list(range(len(frame)))] == []
    assert all(len(one) <= len(later) for one, later in pairwise(frames))
    assert len(frames) > 50
    assert viewer.console_errors == []


#: Of each kind that an agent writes, with what may stand above it.
_KINDS = {
    "wrapped": "One paragraph of words " * 12,
    "broken by hand": "A line that is\nbroken by hand,\nand goes on until the window breaks it, too, " * 3,
    "hard breaks": "A line  \nbroken\\\nhard",
    "quote": "> 02:14 *Anna* said a thing that is quite long and is broken by the end of the window\n> " * 2,
    "two in a quote": "Words:\n\n> first\n>\n> second",
    "list in a quote": "> - one\n> - two",
    "items": "- one\n- two\n- three that is long " + "and long " * 30,
    "numbers": "1. one\n2. two\n3. three\n4. four",
    "items apart": "- one\n\n- two\n\n- three",
    "items in items": "- one\n  - two\n  - three\n- four",
    "an item in an item, last": "1. one\n2. two\n   - three\n   - four",
    "an item that goes on": "- one\n\n  goes on\n- two",
    "the end of an item": "- one\n- two\n\n  and its end",
    "items that turn out apart": "- this\n- that\n\n- those",
    "items of two lines": "- one\ncontinued line\n- two\n  continued",
    "tasks": "- [ ] one\n- [x] two",
    "table": "| a | b |\n|---|--:|\n| 1 | `2` |\n| 3 | 4 |",
    "table below words": "Words:\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "table below a heading": "## Head\n| a | b |\n|---|---|\n| 1 | 2 |",
    "code": "```python\nx = 1\ny = 2\n```",
    "code that is not ended": "```python\nanother = 3\n",
    "code below words": "Words:\n\n```\ncode\n```",
    "code in an item": "1. one\n\n   ```\n   the code\n   ```\n2. two",
    "code by its indent": "Text:\n\n    code here\n    more code",
    **{f"heading {level}": f"Above {level}.\n\n{'#' * level} Head {level}" for level in range(1, 7)},
    "heading alone": "# Head",
    "heading by a line": "Head\n====",
    "words below a heading": "### Head\nand words",
    "items below a heading": "## Head\n- one\n- two",
    "quote below a heading": "## Below\n> q",
    "rule": "above\n\n---",
    "words below items": "- one\n- two\n\nThen words.",
    "marks": "See [the page](https://example.org/" + "a/long/address/" * 12 + ") for *more*, _more_, ~~less~~, `code`, "
    "**bold `code` in**, snake_case_words, 2 * 3 * 4, AT&amp;T \\*as typed\\* <b>and</b> https://example.org",
    "other letters": "漢字" * 60 + "שלום עולם " * 20,
}
#: What the page was told of the text that is being written.
_TOLD = "id => luluHub.last('text', `text:${id}`).writing?.text ?? ''"
#: How high the last message is.
_HEIGHT = "[...document.querySelectorAll('[data-testid=stChatMessage]')].at(-1).getBoundingClientRect().height"


@pytest.mark.long
def test_no_kind_of_text_changes_its_height_when_it_is_finished(
    lulu: LuluServer, new_viewer: Callable[..., Viewer]
) -> None:
    viewer = new_viewer(signed_in=False)
    page = viewer.page
    session_id = open_stage(viewer, lulu)
    changed: dict[str, tuple[float, float]] = {}

    for name, text in _KINDS.items():
        for end in (len(text) // 2, len(text)):
            ask(lulu, "write", id=session_id, text=text[:end])
            page_eventually(page, partial(is_told, page, session_id, text[:end]))
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        written = settled(page)
        ask(lulu, "finish", id=session_id, text=text)
        page_eventually(page, lambda: page.locator(".lulu-flow > div").count() == 0)
        finished = settled(page)
        if abs(finished - written) > 0.5:
            changed[name] = (written, finished)

    assert changed == {}
    assert viewer.console_errors == []


def is_seen(page: Page, word: str) -> bool:
    return word in page.evaluate("frames.at(-1)")


def is_told(page: Page, session_id: str, text: str) -> bool:
    return str(page.evaluate(_TOLD, session_id)).endswith(text[-20:])


def settled(page: Page) -> float:
    """How high the last message is, once that is so twice."""
    before = -1.0
    while (height := float(page.evaluate(_HEIGHT))) != before:
        before = height
        page.wait_for_timeout(150)
    return height


#: All that moves, also in answer to somebody's hand.
_NOTE_SHIFTS = """() => {
  window.moved = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) moved += entry.value; })
    .observe({ type: "layout-shift" });
}"""


@pytest.mark.long
def test_the_end_of_an_answer_moves_nothing(lulu: LuluServer, new_viewer: Callable[..., Viewer]) -> None:
    viewer = new_viewer(signed_in=False)
    page = viewer.page
    session_id = open_stage(viewer, lulu)
    for number in range(6):
        ask(lulu, "append", id=session_id, text=f"Part {number}. " + "word " * 150)
    text = "Words first.\n\n## Head\n- one\n- two\n\n> a quote of *words*\n\n" + "And more words. " * 30
    for end in (*range(40, len(text), 40), len(text)):
        ask(lulu, "write", id=session_id, text=text[:end])
    page_eventually(page, partial(is_told, page, session_id, text))
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    settled(page)
    page.evaluate(_NOTE_SHIFTS)

    ask(lulu, "finish", id=session_id, text=text)
    ask(lulu, "end", id=session_id)

    expect(page.locator(".st-key-session_header").get_by_text("completed")).to_be_visible(timeout=PATIENCE)
    page_eventually(page, lambda: page.locator(".lulu-flow > div").count() == 0)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    settled(page)
    assert page.evaluate("moved") <= 0.01


@pytest.mark.long
def test_what_was_seen_stays_until_it_is_drawn(lulu: LuluServer, new_viewer: Callable[..., Viewer]) -> None:
    """Texts with the same ending, other events in between, entities, and more at once than is told."""
    viewer = new_viewer(signed_in=False)
    page = viewer.page
    session_id = open_stage(viewer, lulu)
    page.evaluate(_NOTE_FRAMES)
    said: list[str] = []

    def say(text: str, *, between: Callable[[], object] = lambda: None) -> None:
        for end in (len(text) // 2, len(text)):
            ask(lulu, "write", id=session_id, text=text[:end])
            page.wait_for_timeout(20)
        between()
        ask(lulu, "write", id=session_id, text=text)
        ask(lulu, "finish", id=session_id, text=text)
        said.extend(re.findall(r"\w+", text.replace("&amp;", " ")))
        page.wait_for_timeout(60)

    say("Done one.")
    say("Done one.")
    say("Yes two.\n\nYes two.")
    say("AT&amp;T three.\n\nMore &amp; more three.")
    say("Four goes on", between=lambda: ask(lulu, "append", id=session_id, text="unseen", parent="t1"))
    for number in range(6):
        ask(lulu, "append", id=session_id, text=f"Five {number}.")
        said.extend(["Five", str(number)])
    long = "\n\n".join(f"Six {number} is a paragraph of some more words than one." for number in range(80))
    say(long)
    say("The end.")
    page_eventually(page, lambda: page.locator(".lulu-flow > div").count() == 0)

    unsaid = {"It", "begins", "amp", "chevron_right", "build", "Tool", "smart_toy", "Sub", "agent", "t1"}

    def letters(frame: str) -> str:
        return "".join(word for word in re.findall(r"\w+", frame) if word not in unsaid)

    frames = [letters(frame) for frame in page.evaluate("frames") if "unseen" not in frame]
    assert [frame[-60:] for frame in frames if not "".join(said).startswith(frame)] == []
    # A run's elements are put on the page in several steps: what is lost in one of them is back with the next.
    longest, lost, most = 0, 0, 0
    for frame in frames:
        lost = lost + 1 if len(frame) < longest else 0
        longest, most = max(longest, len(frame)), max(most, lost)
    assert most <= _STEPS
    assert viewer.console_errors == []


@pytest.mark.long
def test_a_guest_sees_words_come_and_no_secret(lulu: LuluServer, new_viewer: Callable[..., Viewer]) -> None:
    secret = "ghp_" + "aB3d" * 9
    viewer = new_viewer(signed_in=False)
    page = viewer.page
    session_id: str = ask(lulu, "stage")["id"]
    ask(lulu, "append", id=session_id, text="It begins.")
    name, _, value = ask(lulu, "share", id=session_id)["cookie"].partition("=")
    viewer.context.add_cookies([{"name": name, "value": value, "url": lulu.url}])
    page.goto(f"{lulu.url}/?id={session_id}")
    expect(page.get_by_text("It begins.").first).to_be_visible(timeout=PATIENCE)
    page.evaluate(_NOTE_FRAMES)

    text = f"The token is {secret} and that is all of it"
    for end in range(1, len(text) + 1):
        ask(lulu, "write", id=session_id, text=text[:end])
        if text[:end] in ("The token ", "The token is "):
            page_eventually(page, partial(is_seen, page, text[:end].split()[-2]))
    expect(page.get_by_text("and that is all of").first).to_be_visible()

    frames = page.evaluate("frames")
    assert [frame for frame in frames if "ghp_" in frame] == []
    assert len(frames) > 3
    assert viewer.console_errors == []
