"""``SidecarAuth`` for httpx: ``httpx.Client(auth=SidecarAuth("api"))``, and the same for async.

Redirects are httpx's, which takes ``Authorization`` and ``Cookie`` off when they lead elsewhere;
here is decided that a 401 from elsewhere means nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial

import httpx
from anyio.to_thread import run_sync

from proxy.client.authorization import UNAUTHORIZED, Manner, origin
from proxy.client.lent import Lent
from proxy.client.source import TokenSource
from proxy.errors import SidecarError


class SidecarAuth(httpx.Auth):
    """Puts the credential's live token on each request; after a 401 a new one, once.

    Works with both kinds of client, on asyncio and trio. A request whose body can't be sent twice
    (a generator, a file) is not repeated: the 401 is the answer, and the next request has a new
    token.

    Args:
        source: a ``TokenSource``, or the name of a credential for one.
        scheme: of ``Authorization``; empty for the bare token.
        allow_insecure: send tokens over plain http to other machines too.

    What requests raise beside httpx's own exceptions is ``TokenSource``'s.
    """

    def __init__(
        self, source: TokenSource | str, *, scheme: str = "Bearer", allow_insecure: bool = False
    ) -> None:
        self.source = TokenSource(source) if isinstance(source, str) else source
        self._manner = Manner(scheme, allow_insecure)

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """See ``httpx.Auth``."""
        flow = _Flow(request, self._manner)
        lent = self.source.lend()
        response = yield flow.carrying(lent)
        if flow.refused(response):
            again = flow.again(response, lent, _attempt(partial(self.source.reject, lent)))
            if again is not None:
                yield again

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """See ``httpx.Auth``."""
        flow = _Flow(request, self._manner)
        lent = self.source.fresh()
        if lent is None:
            lent = await run_sync(self.source.lend)
        response = yield flow.carrying(lent)
        if flow.refused(response):
            other = await run_sync(_attempt, partial(self.source.reject, lent))
            again = flow.again(response, lent, other)
            if again is not None:
                yield again


class _Flow:
    """One request of the program's, with all that comes of it."""

    def __init__(self, request: httpx.Request, manner: Manner) -> None:
        manner.assure(str(request.url))
        self._request = request
        self._manner = manner
        self._origin = origin(str(request.url))
        self._cookies = request.headers.get("Cookie")

    def carrying(self, lent: Lent) -> httpx.Request:
        """The request with this token on it."""
        return self._put(self._request, lent)

    def refused(self, response: httpx.Response) -> bool:
        """Whether the API that the program named refuses the token that it was sent."""
        where = origin(str(response.request.url))
        return response.status_code == UNAUTHORIZED and where == self._origin

    def again(
        self, response: httpx.Response, lent: Lent, other: Lent | None
    ) -> httpx.Request | None:
        """The request to send once more, None where the 401 is the answer."""
        # Not the first of a chain: what was redirected has been processed.
        request = response.request
        whole = isinstance(request.stream, httpx.ByteStream)
        if other is None or other.token == lent.token or not whole:
            return None
        return self._put(request, other)

    def _put(self, request: httpx.Request, lent: Lent) -> httpx.Request:
        name, value = self._manner.field(lent, self._cookies)
        request.headers[name] = value
        return request


def _attempt(question: Callable[[], Lent]) -> Lent | None:
    """None where there is no other token: then the 401 is the answer."""
    try:
        return question()
    except SidecarError:
        return None
