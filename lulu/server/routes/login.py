"""The routes that sign in: a login link, a link for another device, a share link."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from lulu import runtime
from lulu.access import guard, refusals
from lulu.access.addresses import Authority, header_values
from lulu.access.authentication import door
from lulu.access.cookies import GUEST_COOKIE, OWNER_COOKIE, cookie, read_tokens, with_share
from lulu.access.tokens import hash_of, is_token, new_token
from lulu.model.actors import Actor, Role
from lulu.store import Access, AccessKind

_PAIR_PAGE = refusals.document(
    "Use Lulu on this device?",
    "<p>This device gets full access, for 30 days after each use. "
    "It can be removed on Lulu's Devices page.</p>"
    '<form method="post"><button type="submit">Use Lulu on this device</button></form>',
)


async def login(request: Request) -> Response:
    """``GET /login?t=<token>``: sign in, once. The address cannot name a page to continue with."""
    token = request.query_params.get("t", "")
    if request.method != "GET":
        # Starlette handles HEAD as GET. A request that only checks the link must not use it up.
        return closed()
    admission = guard.admission_of(request.headers)
    if admission is not None and admission.role is Role.OWNER:
        await run_in_threadpool(_use_up, door.actor(admission, None), token)
        return RedirectResponse("/", status_code=303)
    return await _sign_in(request, token, AccessKind.LOGIN, "this computer")


async def show_pair(request: Request) -> Response:
    """``GET /pair/<token>``: show a button, so that a chat's preview of the link does not use it up."""
    token = request.path_params["token"]
    row = await run_in_threadpool(_row, token)
    if row is None or row.known_kind is not AccessKind.PAIR or not row.is_valid:
        return closed()
    # With "no-referrer", a browser would send the form with "Origin: null".
    return HTMLResponse(_PAIR_PAGE, headers={"cache-control": "no-store", "referrer-policy": "same-origin"})


async def pair(request: Request) -> Response:
    """``POST /pair/<token>``: sign another device in."""
    return await _sign_in(request, request.path_params["token"], AccessKind.PAIR, "another device")


async def share(request: Request) -> Response:
    """``GET /s/<token>``: move the token from the address into a cookie, and show the session."""
    token = request.path_params["token"]
    row = await run_in_threadpool(_row, token)
    if row is None or row.known_kind is not AccessKind.SHARE or not row.is_valid or row.session_id is None:
        return closed()
    session_id = quote(row.session_id, safe="")
    if _is_owner(request):
        return RedirectResponse(f"/session?id={session_id}", status_code=303)
    known = read_tokens(header_values(request.scope, b"cookie"))[GUEST_COOKIE]
    answer = RedirectResponse(f"/?id={session_id}", status_code=303)
    return _with_cookie(request, answer, GUEST_COOKIE, with_share(known, token))


def closed() -> Response:
    """Return the one page for wrong, used, expired and revoked links."""
    refusal = refusals.not_signed_in()
    return HTMLResponse(refusal.body, status_code=refusal.status, headers={"cache-control": "no-store"})


async def _sign_in(request: Request, token: str, kind: AccessKind, label: str) -> Response:
    if not is_token(token):
        return closed()
    own = new_token()
    row = await run_in_threadpool(runtime.current().store.access.redeem, hash_of(token), kind, hash_of(own), label)
    if row is None:
        return closed()
    return _with_cookie(request, RedirectResponse("/", status_code=303), OWNER_COOKIE, own)


def _use_up(actor: Actor, token: str) -> None:
    """Revoke a login link that a signed-in owner has opened, so that it works for no other person."""
    row = _row(token)
    if row is not None and row.known_kind is AccessKind.LOGIN and row.is_valid:
        runtime.current().store.access.revoke(actor, row.id)


def _row(token: str) -> Access | None:
    return runtime.current().store.access.by_hash(hash_of(token)) if is_token(token) else None


def _is_owner(request: Request) -> bool:
    admission = guard.admission_of(request.headers)
    return admission is not None and admission.role is Role.OWNER


def _with_cookie(request: Request, answer: Response, name: str, value: str) -> Response:
    authority: Authority = request.scope["lulu.authority"]
    secure = "; Secure" if authority.scheme == "https" else ""
    answer.headers.append("set-cookie", cookie(name, value) + secure)
    answer.headers["cache-control"] = "no-store"
    return answer


#: Each is an open path of the guard, and checks a token itself.
ROUTES = [
    Route("/login", login, methods=["GET"]),
    Route("/pair/{token}", show_pair, methods=["GET"]),
    Route("/pair/{token}", pair, methods=["POST"]),
    Route("/s/{token}", share, methods=["GET"]),
]
