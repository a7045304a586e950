"""Carries one small request to a provider and brings the whole answer back, bounded in everything.

Knows nothing of OAuth: it neither reads what it carries nor repeats it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from proxy.clock import Clock
from proxy.config.model import Egress
from proxy.message import Answer, Request, origin
from proxy.net.egress import proxy_for
from proxy.net.faults import explained, too_large

LONGEST: Final = 10.0
LARGEST: Final = 1 << 20
# What aiohttp would add by itself. Compression is not asked for: a token is small, and every
# decoder is one more thing that a hostile answer can be aimed at.
_PLAIN: Final = {"Accept-Encoding": "identity", "User-Agent": "token-sidecar"}


class Carrier:
    """Sends requests to one provider; one for all credentials that share its TLS and proxy.

    Args:
        clock: stamps the moments of sending and of arrival.
        tls: whom to trust and what to show; None is the system's way.
        egress: the proxy on the way.
        environ: where ``egress`` looks for HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
        longest: seconds that a request may take, from looking up the name to the last byte.
        largest: bytes that an answer may have after decompression.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        egress: Egress = Egress(),  # noqa: B008 - frozen
        environ: Mapping[str, str] | None = None,
        longest: float = LONGEST,
        largest: int = LARGEST,
    ) -> None:
        self._clock = clock
        self._tls = tls
        self._egress = egress
        self._environ = environ or {}
        self._longest = longest
        self._largest = largest
        self._session: ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """Send once and return whatever status comes back; redirects are not followed.

        Raises:
            TokenRequestError: no whole answer came; transient, with the reasons ``dns``,
                ``connect``, ``tls``, ``timeout``, ``too_large`` or ``network``.
        """
        proxy = proxy_for(request.url, self._egress, self._environ)
        with explained(origin(request.url), proxy and origin(proxy), self._longest):
            return await self._exchange(request, proxy)

    async def close(self) -> None:
        """Drop the connections; the carrier can be used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: Request, proxy: str | None) -> Answer:
        sent = self._clock.now()
        async with self._ready().request(
            request.method,
            URL(request.url, encoded=request.url.isascii()),
            headers={**_PLAIN, **request.headers},
            data=request.body or None,
            proxy=proxy,
            allow_redirects=False,
        ) as response:
            body = await self._body(response, origin(request.url))
            headers: dict[str, str] = {}
            for name, value in response.headers.items():
                headers.setdefault(name.lower(), value)
            cookies = tuple(response.headers.getall("Set-Cookie", ()))
            return Answer(response.status, headers, body, sent, self._clock.now(), cookies)

    async def _body(self, response: ClientResponse, where: str) -> bytes:
        body = bytearray()
        # aiohttp decompresses piece by piece as it is read, so a bomb goes off in pieces too.
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > self._largest:
                raise too_large(where, self._largest)
        return bytes(body)

    def _ready(self) -> ClientSession:
        """The session, made when first needed, since it belongs to the running loop.

        Connections are not kept: minutes lie between two token requests, and a POST that dies
        on a connection gone stale may or may not have been processed.
        """
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(ssl=self._tls or True, force_close=True),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=self._longest),
                trust_env=False,
                skip_auto_headers=("Accept", "Content-Type"),
            )
        return self._session
