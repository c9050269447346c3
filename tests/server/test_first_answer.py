"""The first answer has the styles, for every page, and nothing else is changed."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from lulu.server.first_answer import Styled
from lulu.ui.browser import page_head
from tests.conftest import NewServer

_STYLE = "<style>p { margin: 0 }</style>"
_PAGE = '<html><head></head><body><div id="root"></div>' + "x" * 2_000 + "</body></html>"
_STYLED = _PAGE.replace('<div id="root">', f'{_STYLE}<div id="root">')
_BROWSER = {"accept": "text/html,*/*", "accept-encoding": "gzip"}


async def page(request: Request) -> Response:
    if "if-none-match" in request.headers:
        return Response(status_code=304)
    return HTMLResponse(_PAGE, headers={"etag": "one", "last-modified": "then"})


async def pieces(request: Request) -> Response:
    return StreamingResponse((part for part in (_PAGE[:40], _PAGE[40:])), media_type="text/html")


async def words(request: Request) -> Response:
    return PlainTextResponse(_PAGE)


async def mine(request: Request) -> Response:
    return HTMLResponse("<p>A page of Lulu's own</p>")


async def failed(request: Request) -> Response:
    return HTMLResponse(_PAGE, status_code=500)


@pytest.fixture
def client() -> TestClient:
    routes = [Route(f"/{answer.__name__}", answer) for answer in (page, pieces, words, failed)]
    routes += [Route(f"/below/{answer.__name__}", answer) for answer in (page, words, mine)]
    middleware = [Middleware(Styled, head=_STYLE), Middleware(GZipMiddleware)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


@pytest.mark.parametrize("path", ["/page", "/pieces"])
def test_a_page_has_the_styles(client: TestClient, path: str) -> None:
    # A browser that has kept an older page asks whether that is still the newest.
    answer = client.get(path, headers={**_BROWSER, "if-none-match": "one"})

    assert answer.text == _STYLED
    assert int(answer.headers["content-length"]) == len(_STYLED)
    assert not {"etag", "last-modified", "content-encoding"} & set(answer.headers)


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.get("/words", headers=_BROWSER),
        lambda client: client.get("/failed", headers=_BROWSER),
        lambda client: client.get("/page", headers={"accept": "*/*"}),
    ],
)
def test_nothing_else_is_changed(client: TestClient, ask: Callable[[TestClient], httpx.Response]) -> None:
    assert ask(client).text == _PAGE


@pytest.mark.parametrize(("path", "goes"), [("/below/page", True), ("/below/words", False), ("/below/mine", False)])
def test_an_address_below_a_page_leads_to_one_that_says_so(client: TestClient, path: str, goes: bool) -> None:
    answer = client.get(path, headers=_BROWSER, follow_redirects=False)

    assert (answer.status_code, answer.headers.get("location")) == ((302, "/no-such-page") if goes else (200, None))


def test_every_address_of_lulu_answers_with_its_own_head(server: NewServer) -> None:
    lulu = server(env={"LULU_AGENT": "demo"})
    headers = {**_BROWSER, "cookie": lulu.sign_in()}

    for path in ("/", "/session?id=1", "/inbox"):
        assert page_head.HEAD in httpx.get(f"{lulu.url}{path}", headers=headers, trust_env=False, verify=False).text
    assert page_head.HEAD not in httpx.get(lulu.url, headers=_BROWSER, trust_env=False, verify=False).text
