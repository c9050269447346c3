"""How soon something is found among a million events."""

from __future__ import annotations

from playwright.sync_api import Page

from scripts.bench import browser_side
from scripts.bench.figures import Figure, middle, row
from scripts.bench.stage import Stage, first_seen, settle

#: Events that are searched, in sessions of a thousand.
EVENTS = 1_000_000
#: What is looked for: in so many events, and what a page shows then.
_RARE, _COMMON, _ABSENT = "quokka", "invoice", "wombat"
_SEEN = {"rare": (_RARE, _RARE), "common": (_COMMON, _COMMON), "absent": (_ABSENT, "Nothing found.")}

#: Enter begins what a click begins elsewhere.
_NOTE_ENTER = """() => addEventListener("keydown", (event) => {
  if (event.key === "Enter") bench.clickedAt = performance.now();
}, true)"""


@row("search")
def search(stage: Stage) -> list[Figure]:
    """Search over 1,000,000 events: in the store, and from Enter until the answer is in view (takes minutes)."""
    server = stage.new_server()
    stage.ask("library", server, events=EVENTS, rare=_RARE)
    figures = []
    with stage.page(server) as page:
        page.goto(f"{server.url}/search")
        first_seen(page, "Every prompt, answer, thought")
        page.evaluate(_NOTE_ENTER)
        for name, (text, seen) in _SEEN.items():
            took = stage.ask("look", server, text=text, times=2 * stage.rounds + 1)["took"]
            shown = [_shown(page, text, seen) for _ in range(stage.rounds)]
            what = f"search over {EVENTS:,} events, a query that is {name}"
            figures += [
                Figure(what=f"{what}: in the store", value=middle(took), unit="ms", most=100),
                Figure(what=f"{what}: Enter → in view", value=middle(shown), unit="ms", most=240),
            ]
    server.close()
    return figures


def _shown(page: Page, text: str, seen: str) -> float:
    """Milliseconds from Enter until the answer is in view; on the page before it there is none."""
    field = page.locator(".st-key-q input")
    field.fill("")
    field.press("Enter")
    first_seen(page, "Every prompt, answer, thought")
    settle(page)
    field.fill(text)
    page.evaluate(browser_side.ARM, seen)
    field.press("Enter")
    return float(page.evaluate(browser_side.SINCE_CLICK))
