"""How soon a person sees that an agent asks, and how soon the agent has the answer."""

from __future__ import annotations

from functools import partial

from playwright.sync_api import Page

from scripts.bench.figures import Figure, middle, percentile, row
from scripts.bench.stage import Stage, settle
from tests.support import LuluServer, eventually

#: A prompt whose first call asks for permission, and which takes a denial for an answer.
_ASKS = "Run a slow tool."
#: Requests beyond the rounds that warm up what is used for the first time.
_WARM_UP = 2
#: More than one round is wanted of what takes a tenth of a second.
_TIMES = 2

#: Pause between two requests (milliseconds): for two seconds after a click, a page lets that go first.
_CALM = 2_500

#: Notes when each request's answers were painted, and when they were taken away.
_NOTE_REQUESTS = r"""
() => {
  window.requests = {};
  window.gone = {};
  const look = () => {
    for (const id of Object.keys(requests))
      if (!document.querySelector(`.st-key-deny_${id}`)) gone[id] ??= Date.now();
    for (const box of document.querySelectorAll("[class*='st-key-deny_']")) {
      const id = /st-key-deny_([0-9a-f]{32})/.exec(box.className)?.[1];
      if (id && box.querySelector("button")) requests[id] ??= Date.now();
    }
    requestAnimationFrame(look);
  };
  look();
}
"""
#: When the last click was (milliseconds since the epoch).
_CLICKED = "() => performance.timeOrigin + bench.clickedAt"


def _answer(page: Page, known: set[str]) -> tuple[str, float, float]:
    """Deny the next request: its id, when it was shown, and when it was answered (milliseconds since the epoch)."""
    found = page.wait_for_function("known => Object.keys(requests).find(id => !known.includes(id))", arg=sorted(known))
    request_id = str(found.json_value())
    page.locator(f".st-key-deny_{request_id} button").click()
    return request_id, float(page.evaluate("id => requests[id]", request_id)), float(page.evaluate(_CLICKED))


@row("asked")
def asked(stage: Stage) -> list[Figure]:
    """From the SDK's callback to the page, and from the click to the SDK's callback."""
    server = stage.new_server(LULU_DEMO_SPEED="0")
    session_id = stage.ask("fill", server, tag="asked", events=40)["id"]
    shown: list[float] = []
    decided: list[float] = []
    told: list[float] = []
    with stage.page(server) as page, stage.page(server) as other:
        for viewer in (other, page):
            viewer.goto(f"{server.url}/session?id={session_id}")
            settle(viewer)
            viewer.evaluate(_NOTE_REQUESTS)
        known: set[str] = set()
        for _ in range(stage.rounds * _TIMES + _WARM_UP):
            stage.ask("prompt", server, id=session_id, text=_ASKS)
            other.wait_for_function("count => Object.keys(requests).length > count", arg=len(known))
            request_id, seen, clicked = _answer(page, known)
            told.append(float(other.wait_for_function("id => gone[id]", arg=request_id).json_value()) - clicked)
            known.add(request_id)
            came, answered = eventually(partial(_times, stage, server, request_id))
            shown.append(seen - came * 1000)
            decided.append(answered * 1000 - clicked)
            settle(page)
            page.wait_for_timeout(_CALM)
    server.close()
    shown, decided, told = shown[_WARM_UP:], decided[_WARM_UP:], told[_WARM_UP:]
    return [
        Figure(what="request → shown in the browser, median", value=middle(shown), unit="ms", most=1_000),
        Figure(what="request → shown in the browser, p95", value=percentile(shown, 95), unit="ms"),
        Figure(what="click → answer in the agent, median", value=middle(decided), unit="ms", most=300),
        Figure(what="click → answer in the agent, p95", value=percentile(decided, 95), unit="ms"),
        Figure(what="click → another viewer sees it answered, median", value=middle(told), unit="ms", most=1_000),
        Figure(what="click → another viewer sees it answered, p95", value=percentile(told, 95), unit="ms"),
    ]


def _times(stage: Stage, server: LuluServer, request_id: str) -> list[float] | None:
    """When the callback got it, and when the callback had the answer; nothing before that."""
    found: list[float] = stage.ask("requests", server)[request_id]
    return found if len(found) == 2 else None
