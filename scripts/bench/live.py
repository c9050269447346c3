"""How soon what was committed is on a screen, and what it costs to look on."""

from __future__ import annotations

import contextlib
import re
from functools import partial

from playwright.sync_api import Page

from scripts.bench import browser_side
from scripts.bench.figures import Figure, middle, percentile, row
from scripts.bench.stage import Stage, Work, cpu_percent, first_seen, settle
from scripts.bench.transcripts import last_words
from tests.support import LuluServer

#: Texts that are said, one after the other.
_SAID = 60
#: The same with nobody watching, before there are guests and when they have left; and while they are there.
_ALONE, _WATCHED = 150, 600
#: Two Lulus that nobody watches may differ by so much in the p99 of a commit (milliseconds), and these two, of which
#: twenty guests watch one, by no more.
_ALIKE = 2
#: Calls of a tool, which a run of the page draws; words are there before it.
_CALLS = 60
#: Pause between two (milliseconds): longer than any of them takes.
_APART = 400
#: Seconds over which a processor's load is taken.
_LOOK = 15.0

#: When a text was on the disk (seconds since the epoch), and what that took (milliseconds).
_Said = dict[str, float]


def _commit_to_visible(stage: Stage, others: int) -> tuple[list[float], str]:
    """Milliseconds for each text from its commit until a frame with it was painted; and what one text costs."""
    server = stage.new_server()
    session_id = stage.ask("stage", server)["id"]
    path = f"/session?id={session_id}"
    with contextlib.ExitStack() as stack:
        page = stack.enter_context(stage.page(server))
        if others:
            stack.enter_context(stage.viewers(server, path, others))
        page.goto(server.url + path)
        first_seen(page, "A stage")
        settle(page)
        work = Work(server)
        said = _say(stage, server, session_id, page, "This is mark {}; and a few words.", _SAID)
        page.wait_for_function("last => bench.marks[last] > 0", arg=_SAID - 1)
        marks = page.evaluate(browser_side.MARKS)
        note = work.note(_SAID)
    server.close()
    lost = [number for number in range(_SAID) if marks.get(str(number), -1) < 0]
    if lost:
        raise RuntimeError(f"The page never showed {len(lost)} of {_SAID} texts.")
    # The first few warm up what is used for the first time.
    return _times(said, marks)[5:], note


@row("visible-1")
def visible_1(stage: Stage) -> list[Figure]:
    """Commit → visible in Chromium, one viewer."""
    times, note = _commit_to_visible(stage, 0)
    return [
        Figure(what="commit → visible, one viewer, median", value=middle(times), unit="ms", most=42, note=note),
        Figure(what="commit → visible, one viewer, p95", value=percentile(times, 95), unit="ms", most=100),
    ]


@row("visible-20")
def visible_20(stage: Stage) -> list[Figure]:
    """Commit → visible in Chromium, one among 20 viewers."""
    times, note = _commit_to_visible(stage, 19)
    note += "; 19 protocol clients share the cores"
    return [
        Figure(what="commit → visible, one among 20, median", value=middle(times), unit="ms", most=150, note=note),
        Figure(what="commit → visible, one among 20, p95", value=percentile(times, 95), unit="ms", most=300),
    ]


@row("guests")
def guests(stage: Stage) -> list[Figure]:
    """Twenty guests of one live session: commit → visible in Chromium, and what the agent's commits take.

    Beside it runs a Lulu that nobody watches, with the same commits: whoever computes on the same cores, guests'
    browsers among them, delays those, too. What a commit takes longer where guests watch is what they take from it.
    """
    servers = [stage.new_server(), stage.new_server()]
    sessions = [str(stage.ask("stage", server)["id"]) for server in servers]
    cookie, path = stage.ask("share", servers[0], id=sessions[0])["cookie"], f"/?id={sessions[0]}"
    name, _, value = cookie.partition("=")
    with stage.far_page() as page:
        # Before and after: a machine that others share changes its speed by the minute.
        before = _say_beside(stage, servers, sessions, page, "Nobody hears word {}.", _ALONE)
        with stage.viewers(servers[0], path, 19, cookie):
            page.context.add_cookies([{"name": name, "value": value, "url": servers[0].url}])
            page.goto(servers[0].url + path)
            first_seen(page, f"Nobody hears word {_ALONE - 1}.")
            settle(page)
            watched, beside = _say_beside(stage, servers, sessions, page, "This is mark {}; and a few words.", _WATCHED)
            page.wait_for_function("last => bench.marks[last] > 0", arg=_WATCHED - 1)
            times = _times(watched, page.evaluate(browser_side.MARKS))[5:]
            page.evaluate("() => { for (const mark of Object.keys(bench.marks)) delete bench.marks[mark]; }")
            called = _say(stage, servers[0], sessions[0], page, "echo mark {};", _CALLS, job="call")
            page.wait_for_function("last => bench.marks[last] > 0", arg=_CALLS - 1)
            called_times = _times(called, page.evaluate(browser_side.MARKS))
        page.goto("about:blank")
        after = _say_beside(stage, servers, sessions, page, "Nobody hears word {} any more.", _ALONE)
    for server in servers:
        server.close()
    alone, alone_beside = (first + second for first, second in zip(before, after, strict=True))
    return [*_seen_by_a_guest(times, called_times), *_commits_beside_guests(watched, beside, alone, alone_beside)]


def _seen_by_a_guest(times: list[float], called: list[float]) -> list[Figure]:
    what, call = "commit → visible, one guest among 20", "a call, commit → visible, one guest among 20"
    return [
        Figure(what=f"{what}, median", value=middle(times), unit="ms"),
        Figure(what=f"{what}, p95", value=percentile(times, 95), unit="ms", most=1000),
        Figure(what=f"{call}, median", value=middle(called), unit="ms"),
        Figure(what=f"{call}, p95", value=percentile(called, 95), unit="ms", most=1000),
    ]


def _commits_beside_guests(
    watched: list[_Said], beside: list[_Said], alone: list[_Said], alone_beside: list[_Said]
) -> list[Figure]:
    took, took_beside, *nobody = ([said["took"] for said in each] for each in (watched, beside, alone, alone_beside))
    p99 = partial(percentile, percent=99)
    notes = [
        f"beside it, unwatched: {measure(took_beside):.1f} ms; "
        f"nobody anywhere: {measure(nobody[0]):.1f} and {measure(nobody[1]):.1f} ms"
        for measure in (middle, partial(percentile, percent=95), p99)
    ]
    more = p99(took) - p99(took_beside)
    note = f"with nobody anywhere, the same two differ by {abs(p99(nobody[0]) - p99(nobody[1])):.1f} ms"
    return [
        Figure(what="commit with 20 guests, median", value=middle(took), unit="ms", note=notes[0]),
        Figure(what="commit with 20 guests, p95", value=percentile(took, 95), unit="ms", note=notes[1]),
        Figure(what="commit with 20 guests, p99", value=p99(took), unit="ms", most=250, note=notes[2]),
        Figure(what="commit with 20 guests, p99 above the unwatched", value=more, unit="ms", most=_ALIKE, note=note),
    ]


def _say_beside(
    stage: Stage, servers: list[LuluServer], sessions: list[str], page: Page, words: str, times: int
) -> list[list[_Said]]:
    """Commit so many texts to each server in turn, the pause between two divided equally among them."""
    said: list[list[_Said]] = [[] for _ in servers]
    for number in range(times):
        for server, session_id, answers in zip(servers, sessions, said, strict=True):
            answers.append(stage.ask("append", server, id=session_id, text=words.format(number)))
            page.wait_for_timeout(_APART / len(servers))
    return said


def _say(
    stage: Stage, server: LuluServer, session_id: str, page: Page, words: str, times: int, *, job: str = "append"
) -> list[_Said]:
    """Commit so many texts, one after the other: when each was on the disk, and what it took (milliseconds)."""
    said = []
    for number in range(times):
        said.append(stage.ask(job, server, id=session_id, text=words.format(number)))
        page.wait_for_timeout(_APART)
    return said


def _times(said: list[_Said], marks: dict[str, float]) -> list[float]:
    """Milliseconds for each text from its commit until it was painted."""
    return [float(marks[str(number)]) - one["committed"] * 1000 for number, one in enumerate(said)]


@row("idle")
def idle(stage: Stage) -> list[Figure]:
    """The processor's load while 20 viewers look at a page where nothing happens."""
    server = stage.new_server()
    session_id = stage.ask("fill", server, tag="idle", events=200)["id"]
    path = f"/session?id={session_id}"
    with stage.viewers(server, path, 19), stage.page(server) as page:
        page.goto(server.url + path)
        first_seen(page, last_words("idle"))
        settle(page)
        page.wait_for_timeout(3_000)
        load = cpu_percent(server.pid, _LOOK, page)
    server.close()
    return [Figure(what="20 idle viewers, load of one core", value=load, unit="%", most=2)]


#: Counted words, streamed back by the demo agent: each says how far the text had come.
_WORDS = "echo " + " ".join(f"w{number}." for number in range(4_000))
_WRITTEN = re.compile(r"w(\d+)\.")

#: Notes when each counted word was painted.
_NOTE_WORDS = r"""
() => {
  window.words = {};
  let last = -1;
  const look = () => {
    const text = document.querySelector(".st-key-live_text .lulu-flow")?.textContent ?? "";
    const found = text.slice(-60).match(/w(\d+)\.(?!.*w\d+\.)/);
    if (found && +found[1] > last) { last = +found[1]; words[last] = Date.now(); }
    requestAnimationFrame(look);
  };
  look();
}
"""


def _word_times(page: Page, written: list[tuple[str, float]], since: float) -> list[float]:
    """For each commit of a live text: milliseconds until that much of it was on the page."""
    shown = sorted((int(word), float(at)) for word, at in page.evaluate("() => words").items())
    times = []
    for text, committed in written:
        found = _WRITTEN.findall(text)
        if not found or committed < since:
            continue
        seen = next((at for word, at in shown if word >= int(found[-1])), None)
        if seen is not None:
            times.append(max(0.0, seen - committed * 1000))
    return times


@row("streaming")
def streaming(stage: Stage) -> list[Figure]:
    """Eight agents write at once, five viewers look at one of them."""
    server = stage.new_server(LULU_DEMO_SPEED="1")
    ids: list[str] = stage.ask("start", server, prompt=_WORDS, count=8)["ids"]
    path = f"/session?id={ids[0]}"
    with stage.page(server) as page, stage.viewers(server, path, 4):
        page.goto(server.url + path)
        page.wait_for_function("() => (document.querySelector('.st-key-live_text')?.textContent ?? '').includes('w9.')")
        page.evaluate(_NOTE_WORDS)
        page.wait_for_timeout(1_000)
        since = float(page.evaluate("() => Date.now()")) / 1000
        load = cpu_percent(server.pid, _LOOK, page)
        said = stage.ask("numbers", server, ids=ids)
        times = _word_times(page, said["written"][ids[0]], since)
    _assert_live(said["live"], ids)
    server.close()
    return [
        Figure(what="8 agents writing, 5 viewers: load of one core", value=load, unit="%", most=60),
        Figure(what="8 agents writing, 5 viewers: commit → visible, median", value=middle(times), unit="ms"),
        Figure(
            what="8 agents writing, 5 viewers: commit → visible, p95", value=percentile(times, 95), unit="ms", most=500
        ),
    ]


def _assert_live(live: list[str], ids: list[str]) -> None:
    if not set(ids) <= set(live):
        raise RuntimeError(f"Only {len(set(ids) & set(live))} of {len(ids)} agents were at work to the end.")
