"""Errors as ``application/problem+json`` (RFC 9457), whoever raised them.

Knows nothing of what the handlers do; an unexpected exception is logged by the caller's
hook and answered without a word of it.
"""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

PROBLEM: Final = "application/problem+json"

Unexpected = Callable[[str, BaseException], None]


def problem(status: int, detail: str, **more: object) -> web.Response:
    """An answer that says what was wrong with the request; ``more``: members of its own."""
    said = {"type": "about:blank", "title": _title(status), "status": status, "detail": detail}
    return web.json_response(said | more, status=status, content_type=PROBLEM)


def problems(unexpected: Unexpected) -> Middleware:
    """A middleware that turns what handlers raise into problem documents."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            answer = problem(error.status, _detail(request, error.status))
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer
        except Exception as error:  # noqa: BLE001 - the edge: everything else is our bug
            unexpected("control_fault", error)
            return problem(500, "unexpected error; the log has its name")

    return middleware


async def plain_fields(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Fields of every answer: not kept by caches, not guessed at, no word of what serves it."""
    response.headers.pop("Server", None)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"


Prepared = Callable[[web.BaseRequest, web.StreamResponse], Awaitable[None]]


def _title(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _detail(request: web.Request, status: int) -> str:
    if status == http.HTTPStatus.NOT_FOUND:
        return "nothing is here; see /healthz, /readyz, /metrics"
    if status == http.HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return "the request can't be answered"
