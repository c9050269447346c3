"""How long a page takes to show: open, switch, the long list, cold and reloaded."""

from __future__ import annotations

from playwright.sync_api import Page

from scripts.bench import static
from scripts.bench.figures import Figure, middle, row
from scripts.bench.protocol import ProtocolViewer
from scripts.bench.stage import GIVE_UP, Stage, Work, click_until_seen, first_seen, run, settle
from scripts.bench.transcripts import last_words

#: What stands on the home page.
_HOME = "What should the agent do?"


def _open(page: Page, session_id: str, tag: str) -> float:
    """From another session: milliseconds from the click on a row to the last words."""
    settle(page)
    return click_until_seen(page, f".st-key-session_list a[href*='{session_id}']", last_words(tag))


def _opened(stage: Stage, events: int) -> list[Figure]:
    tag = f"open-{events}"
    other, target = stage.session("elsewhere", 40), stage.session(tag, events)
    times = []
    with stage.page(stage.lulu) as page:
        page.goto(f"{stage.lulu.url}/session?id={other}")
        first_seen(page, last_words("elsewhere"))
        work = Work(stage.lulu)
        for _ in range(stage.rounds + 1):
            times.append(_open(page, target, tag))
            _open(page, other, "elsewhere")
        note = work.note(2 * stage.rounds + 2)
    # A static page of 100,000 events takes a minute.
    static_rounds = stage.rounds if events <= 10_000 else 1
    if static_rounds == 1:
        note += "; the static page once"
    return [
        Figure(
            what=f"open a session of {events:,} events: click in the list → last message in view",
            value=middle(times[1:]),
            unit="ms",
            most=190,
            static=_static(stage, tag, events, static_rounds),
            note=note,
        )
    ]


def _static(stage: Stage, tag: str, events: int, rounds: int) -> float:
    """From a page with one link: milliseconds from the start of the load to the last words, at the end of the page."""
    folder = stage.folder / "static"
    folder.mkdir(exist_ok=True)
    name = static.write_page(folder, tag, events)
    times = []
    with static.served(folder) as url, stage.page() as page:
        for _ in range(rounds):
            page.goto(f"{url}/{name}")
            page.get_by_role("link").click(no_wait_after=True)
            page.wait_for_url("**/*.html#end", wait_until="commit", timeout=GIVE_UP)
            times.append(first_seen(page, last_words(tag)))
    return middle(times)


@row("open-1000")
def open_1_000(stage: Stage) -> list[Figure]:
    """Click → last message in view, 1,000 events."""
    return _opened(stage, 1_000)


@row("open-10000")
def open_10_000(stage: Stage) -> list[Figure]:
    """Click → last message in view, 10,000 events."""
    return _opened(stage, 10_000)


@row("open-100000")
def open_100_000(stage: Stage) -> list[Figure]:
    """Click → last message in view, 100,000 events."""
    return _opened(stage, 100_000)


@row("switch")
def switch(stage: Stage) -> list[Figure]:
    """Between two sessions of 1,000 events."""
    tags = ["switch-a", "switch-b"]
    ids = [stage.session(tag, 1_000) for tag in tags]
    times = []
    with stage.page(stage.lulu) as page:
        page.goto(f"{stage.lulu.url}/session?id={ids[0]}")
        first_seen(page, last_words(tags[0]))
        work = Work(stage.lulu)
        for number in range(1, 2 * stage.rounds + 2):
            times.append(_open(page, ids[number % 2], tags[number % 2]))
        note = work.note(len(times))
    what = "switch between two sessions of 1,000 events"
    return [Figure(what=what, value=middle(times[1:]), unit="ms", most=190, note=note)]


@row("list")
def long_list(stage: Stage) -> list[Figure]:
    """5,000 sessions in the list: home, and from home to a session, by a click."""
    stage.crowd()
    session_id = stage.session("listed", 1_000)
    to_home, to_session = [], []
    with stage.page(stage.lulu) as page:
        page.goto(f"{stage.lulu.url}/session?id={session_id}")
        first_seen(page, last_words("listed"))
        for _ in range(stage.rounds + 1):
            settle(page)
            to_home.append(click_until_seen(page, ".st-key-new_session a", _HOME))
            to_session.append(_open(page, session_id, "listed"))
    return [
        Figure(what="home after a click, 5,000 sessions in the list", value=middle(to_home[1:]), unit="ms", most=190),
        Figure(
            what="a session after a click at home, 5,000 in the list", value=middle(to_session[1:]), unit="ms", most=190
        ),
    ]


@row("cold")
def cold(stage: Stage) -> list[Figure]:
    """A session page with an empty cache, and reloaded."""
    tag = "cold"
    session_id = stage.session(tag, 1_000)
    loads, reloads = [], []
    for _ in range(stage.rounds):
        with stage.page(stage.lulu) as page:
            page.goto(f"{stage.lulu.url}/session?id={session_id}", wait_until="commit")
            loads.append(first_seen(page, last_words(tag)))
            settle(page)
            page.reload(wait_until="commit")
            reloads.append(first_seen(page, last_words(tag)))
    return [
        Figure(what="session page, cold load → last message in view", value=middle(loads), unit="ms", most=1_500),
        Figure(what="session page, reload → last message in view", value=middle(reloads), unit="ms", most=600),
    ]


@row("scale")
def scale(stage: Stage) -> list[Figure]:
    """5,000 sessions and one of 10,000 events: script time, cold and after a click."""
    stage.crowd()
    tag = "scale"
    session_id = stage.session(tag, 10_000)
    # Made after the crowd: an older one is not among the rows that the list shows.
    other = stage.session("beside", 40)
    home, session = (run(_script_times(stage, path)) for path in ("/", f"/session?id={session_id}"))
    colds, clicks = [], []
    for _ in range(stage.rounds):
        with stage.page(stage.lulu) as page:
            page.goto(f"{stage.lulu.url}/session?id={session_id}", wait_until="commit")
            colds.append(first_seen(page, last_words(tag)))
            _open(page, other, "beside")
            clicks.append(_open(page, session_id, tag))
    with_both = "5,000 sessions in the list, 10,000 events"
    return [
        Figure(what=f"script of the session page, {with_both}", value=middle(session), unit="ms", most=60),
        Figure(what="script of the home page, 5,000 sessions in the list", value=middle(home), unit="ms", most=60),
        Figure(what=f"session page, cold, {with_both}", value=middle(colds), unit="ms", most=2_000),
        Figure(what=f"session page, click, {with_both}", value=middle(clicks), unit="ms", most=250),
    ]


async def _script_times(stage: Stage, path: str) -> list[float]:
    """Milliseconds from the start of a whole run to its end, as a client without a browser sees them."""
    async with ProtocolViewer(stage.lulu.url, path, stage.lulu.sign_in()) as viewer:
        for _ in range(2 * stage.rounds):
            await viewer.run()
    return viewer.runs[2:]
