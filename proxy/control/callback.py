"""Where a person's browser comes back to after the login at the provider: RFC 8252 section 7.3.

Takes one redirect, once, on loopback, until the login is over. What it says is not known here, and
no page repeats any of it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.control.page import Page, page
from proxy.control.problem import plain_fields
from proxy.http1.fields import Field
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted

CLOSING: Final = 1.0
"""Seconds that the last page gets to reach the browser."""

WHOLE_WINDOW: Final = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))
"""What browsers say of a page that the person goes to; scripts and frames say otherwise."""

ENDED: Final = "The login ended before it was complete. The terminal says why."

_FOREIGN: Final = Page(
    "This is not the answer to the login that waits here",
    "Nothing of it was used, and the login goes on waiting. If you came here from that login, start"
    " it again in the terminal and follow the address that it shows.",
)
_AGAIN: Final = Page(
    "This answer was used already", "The terminal says how the login ended. Close this window."
)
_REFUSED: Final = Page("Nothing can be done here", "Close this window.")


class Callback:
    """Serves the redirect's place while its ``async with`` block lasts.

    Args:
        name: the credential's, for the page.
        path: of the redirect's place.
        sockets: bound ones, to serve on.
        guard: judges Host.
        is_ours: whether a redirect's query bears the ``state`` of the login that waits.
    """

    def __init__(
        self,
        name: str,
        path: str,
        sockets: Sequence[socket.socket],
        guard: Guard,
        is_ours: Callable[[str], bool],
    ) -> None:
        self._name = name
        self._sockets = sockets
        self._is_ours = is_ours
        loop = asyncio.get_running_loop()
        self._came: asyncio.Future[str] = loop.create_future()
        self._outcome: asyncio.Future[str | None] = loop.create_future()
        application = web.Application(middlewares=[_careful(guard)])
        application.router.add_get(path, self._redirected, allow_head=False)
        application.on_response_prepare.append(plain_fields)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSING)
        self._hosted: Hosted | None = None

    async def came(self) -> str:
        """The redirect's query, once it is here; then the browser waits for ``tell``."""
        return await asyncio.shield(self._came)

    def tell(self, failure: str | None) -> None:
        """How the login ended, for the page: None is well, else why not, without any secret."""
        if not self._outcome.done():
            self._outcome.set_result(failure)

    async def __aenter__(self) -> Self:
        self._hosted = await Hosted.open(self._runner, self._sockets)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.tell(ENDED)
        if self._hosted is not None:
            await self._hosted.close()

    async def _redirected(self, request: web.Request) -> web.Response:
        query = request.raw_path.partition("?")[2]
        if not self._is_ours(query):
            return page(400, _FOREIGN)
        if self._came.done():
            return page(410, _AGAIN)
        self._came.set_result(query)
        failure = await asyncio.shield(self._outcome)
        if failure is None:
            return page(200, Page(f"{self._name}: you are logged in", "You can close this window."))
        return page(400, Page(f"{self._name}: you are not logged in", failure))


def _careful(guard: Guard) -> Middleware:
    """Lets in what a person's browser sends for its whole window, and answers all with pages."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _admit(guard, request)
            return await handler(request)
        except MessageError as refused:
            return page(refused.status, _REFUSED)
        except web.HTTPException as error:
            answer = page(error.status, _REFUSED)
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer

    return middleware


def _admit(guard: Guard, request: web.Request) -> None:
    """Host is exact, so that no other name leads here; where it comes from is another site always.

    Raises:
        MessageError: it is no visit of a person.
    """
    fields = [Field(name.lower(), value, b"") for name, value in request.raw_headers]
    guard.host(fields, request.version.minor, None)
    for name, wanted in WHOLE_WINDOW:
        if request.headers.get(name, wanted) != wanted:
            raise MessageError("only a person's browser comes here, with its whole window", 403)
