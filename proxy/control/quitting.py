"""``POST /quitquitquit``: ends the process as SIGTERM does, for pods whose Job must end.

Asks for no client key: who reaches this listener is on this machine, and web pages are kept out by
the guard. It is there only where the configuration says ``quitquitquit: true``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from aiohttp import web

from proxy.control.problem import problem
from proxy.plane.peer import peer_uid

PATH: Final = "/quitquitquit"

End = Callable[[], None]
Ending = Callable[[], End | None]
"""What ends the process now; None where the configuration does not let callers do that."""


def quitting(ending: Ending) -> list[web.RouteDef]:
    """The route; answered before anything ends."""

    async def handler(request: web.Request) -> web.StreamResponse:
        end = ending()
        if end is None:
            return problem(404, "this is off: set `quitquitquit: true` in the configuration")
        if refused := _refused(request):
            return refused
        answer = web.json_response({"status": "draining"}, status=202)
        await answer.prepare(request)
        await answer.write_eof()
        end()
        return answer

    return [web.route("*", PATH, handler)]


def _refused(request: web.Request) -> web.Response | None:
    if request.method != "POST":
        answer = problem(405, f"{request.method} is not possible here: POST ends the process")
        answer.headers["Allow"] = "POST"
        return answer
    if not _ours(request):
        return problem(403, "this socket serves its own user only")
    return None


def _ours(request: web.Request) -> bool:
    """Whether it comes by TCP, or from our own user."""
    sock = request.transport.get_extra_info("socket") if request.transport else None
    if sock is None or sock.family.name != "AF_UNIX":
        return True
    return peer_uid(sock) in {None, os.getuid()}
