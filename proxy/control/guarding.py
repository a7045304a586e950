"""Puts the guard of both planes before the control plane's handlers.

Decides nothing itself: what Host and Origin may be is the guard's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.control.problem import problem
from proxy.http1.fields import Field
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.plane.settings import Address


def own_origins(address: Address) -> Iterator[str]:
    """The origins of pages that this address itself serves."""
    for host in ("127.0.0.1", "localhost", "[::1]"):
        yield f"http://{host}:{address.port}" if address.port else f"http://{host}"


def guarding(current: Callable[[], Guard]) -> Middleware:
    """A middleware that asks the current guard before anything else is done."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            admit(current(), request)
        except MessageError as refused:
            return problem(refused.status, str(refused))
        return await handler(request)

    return middleware


def admit(guard: Guard, request: web.Request) -> None:
    """Let ``request`` in, or say why not.

    Raises:
        MessageError: its Host or Origin is foreign, or it is not in origin-form.
    """
    if not request.raw_path.startswith("/"):
        raise MessageError("only paths are answered here")
    fields = head_fields(request)
    guard.host(fields, request.version.minor, None)
    guard.browser(fields)


def head_fields(request: web.Request) -> list[Field]:
    """The request's header fields as the guard reads them."""
    return [Field(name.lower(), value, b"") for name, value in request.raw_headers]
