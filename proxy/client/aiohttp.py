"""``SidecarMiddleware`` for aiohttp's client: ``ClientSession(middlewares=(…,))``.

A middleware sees each step of a redirect as a request of its own, and nothing of where it came
from: so it is told the origins that may have the token, and gives it to no other.
"""

from __future__ import annotations

import aiohttp
from aiohttp import hdrs

from proxy.client.authorization import UNAUTHORIZED, Manner, origin
from proxy.client.lent import Lent
from proxy.client.source import TokenSource
from proxy.errors import SidecarError


class SidecarMiddleware:
    """Puts the credential's live token on requests to the origins; after a 401 a new one, once.

    A request whose body can't be sent twice (a generator) is not repeated: the 401 is the answer,
    and the next request has a new token.

    Args:
        source: a ``TokenSource``, or the name of a credential for one.
        origins: URLs; who has the scheme, host and port of one gets the token.
        scheme: of ``Authorization``; empty for the bare token.
        allow_insecure: send tokens over plain http to other machines too.

    What requests raise beside aiohttp's own exceptions is ``TokenSource``'s.

    Raises:
        InsecureError: an origin is plain http on another machine.
    """

    def __init__(
        self,
        source: TokenSource | str,
        *origins: str,
        scheme: str = "Bearer",
        allow_insecure: bool = False,
    ) -> None:
        self.source = TokenSource(source) if isinstance(source, str) else source
        self._manner = Manner(scheme, allow_insecure)
        for url in origins:
            self._manner.assure(url)
        self._origins = frozenset(map(origin, origins))

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """See ``aiohttp.ClientMiddlewareType``."""
        if origin(str(request.url)) not in self._origins:
            return await handler(request)
        cookies = request.headers.get(hdrs.COOKIE)
        lent = await self.source.alend()
        self._put(request, lent, cookies)
        response = await handler(request)
        if response.status != UNAUTHORIZED:
            return response
        other = await self._other(lent)
        if other is None or getattr(request.body, "consumed", False):
            return response
        response.release()
        self._put(request, other, cookies)
        return await handler(request)

    async def _other(self, refused: Lent) -> Lent | None:
        """Another token than the one that was refused, None where there is none."""
        try:
            other = await self.source.areject(refused)
        except SidecarError:
            return None
        return None if other.token == refused.token else other

    def _put(self, request: aiohttp.ClientRequest, lent: Lent, cookies: str | None) -> None:
        name, value = self._manner.field(lent, cookies)
        request.headers[name] = value
