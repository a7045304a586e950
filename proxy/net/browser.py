"""Keeps cookies between requests as a browser does: RFC 6265, by aiohttp's cookie jar.

Follows no redirect and reads no page: what comes next is its user's to decide. SameSite means
nothing here, since every request is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, Morsel
from typing import Protocol

from aiohttp import CookieJar
from yarl import URL

from proxy.clock import Moment
from proxy.message import Answer, Request, is_loopback
from proxy.net.set_cookie import SetCookie, set_cookie

_LONGEST = 1 << 31


class Sender(Protocol):
    """Carries a request; a ``Carrier`` is one."""

    async def send(self, request: Request) -> Answer:
        """The answer, whatever its status; TokenRequestError where none came."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that would go to some address.

    Attributes:
        ends: when it does, None where nobody said.
        turn: counts the cookies that were set, so that later ones can be told from earlier ones.
    """

    name: str
    value: str = field(repr=False)
    ends: Moment | None
    turn: int


class Browser:
    """Sends requests with the cookies that fit them; needs a running loop.

    Attributes:
        turn: how many cookies were set so far.
        odd: how many of them had no name or could not be kept.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        # An address instead of a name has cookies too, and a value goes back as it came.
        self._jar = CookieJar(unsafe=True, quote_cookie=False)
        self._set: dict[tuple[str, str], tuple[Moment | None, int]] = {}
        self.turn = 0
        self.odd = 0

    async def send(self, request: Request) -> Answer:
        """Send once with the cookies for its address; what the answer sets is kept.

        Raises:
            TokenRequestError: as the sender does.
        """
        url = URL(request.url)
        cookies = "; ".join(f"{one.name}={one.value}" for one in self._fitting(url))
        headers = {**request.headers, **({"Cookie": cookies} if cookies else {})}
        answer = await self._sender.send(replace(request, headers=headers))
        for text in answer.cookies:
            self._keep(text, answer, url)
        return answer

    def cookies(self, url: str) -> tuple[Cookie, ...]:
        """The cookies that a request to ``url`` would carry."""
        return tuple(self._fitting(URL(url)))

    def _fitting(self, url: URL) -> list[Cookie]:
        found = self._jar.filter_cookies(url).values()
        return [
            Cookie(one.key, one.value, *self._set.get((one.key, one.value), (None, 0)))
            for one in found
        ]

    def _keep(self, text: str, answer: Answer, url: URL) -> None:
        cookie = set_cookie(text, answer)
        morsel = None if cookie is None else _morsel(cookie, url)
        if cookie is None or morsel is None:
            self.odd += 1
            return
        self.turn += 1
        # The span counts from the sending: the cookie may be as old as that.
        ends = None if cookie.lifetime is None else answer.sent.later(cookie.lifetime)
        self._set[cookie.name, cookie.value] = (ends, self.turn)
        self._jar.update_cookies({cookie.name: morsel}, url)


def _morsel(cookie: SetCookie, url: URL) -> Morsel[str] | None:
    morsel: Morsel[str] = Morsel()
    try:
        morsel.set(cookie.name, cookie.value, cookie.value)
    except CookieError:
        return None
    for name in ("domain", "path"):
        morsel[name] = cookie.attributes.get(name, "")
    # As browsers do: what stays on this machine is as safe as TLS (W3C Secure Contexts, 3.1).
    morsel["secure"] = "secure" in cookie.attributes and not is_loopback(url.host or "")
    if cookie.lifetime is not None:
        # Always as a span: the jar would hold an `Expires` against our own clock.
        morsel["max-age"] = str(math.ceil(max(0.0, min(cookie.lifetime, _LONGEST))))
    return morsel
