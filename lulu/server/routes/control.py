"""``POST /control``: commands of ``python -m lulu`` for the running Lulu, with its owner's token."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lulu import runtime
from lulu.access import guard, links
from lulu.access.authentication import door
from lulu.errors import InputError, LuluError
from lulu.model.actors import Actor
from lulu.model.commands import SwitchLan

PATH = "/control"


async def control(request: Request) -> JSONResponse:
    """Carry out one command: ``{"do": "login"}`` or ``{"do": "lan", "on": true}``."""
    admission = guard.admission_of(request.headers)
    try:
        if admission is None:
            raise InputError("This was not understood.")
        actor = door.actor(admission, None)
        actor.require_owner()
        return JSONResponse(await run_in_threadpool(_do, actor, await request.json(), str(request.base_url)))
    except ValueError:
        return JSONResponse({"error": "This was not understood."}, status_code=400)
    except LuluError as exc:
        return JSONResponse({"error": str(exc)}, status_code=409)


def _do(actor: Actor, asked: Any, root: str) -> dict[str, object]:
    lulu = runtime.current()
    match asked:
        case {"do": "login"}:
            return {"link": links.login_link(lulu, actor, root)}
        case {"do": "lan", "on": bool(on)}:
            if lulu.settings.lan is not None and (lulu.settings.lan == "on") is not on:
                raise InputError(
                    f"LAN access is set by LULU_LAN={lulu.settings.lan}.",
                    safe="Nothing was changed.",
                    next_step="Unset it and restart Lulu to use the switch.",
                )
            lulu.store.commands.submit(SwitchLan(actor=actor, on=on))
            return {"lan": "on" if on else "off"}
    raise InputError("This was not understood.")


control_route = Route(PATH, control, methods=["POST"])
