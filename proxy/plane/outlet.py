"""What a route does to the heads that pass it: worked out once, used for every request.

Decides field by field what goes to the upstream (RFC 9110 section 7.6.1) and where the
credential and the Content-Length will stand. No I/O.
"""

from __future__ import annotations

import enum
from typing import Final

from proxy.http1.fields import NOTHING, Fields, stops_here, values
from proxy.plane.cache import LENGTH_FIELD
from proxy.plane.outline import CUT, LENGTH_LINE, Outline
from proxy.plane.settings import Route
from proxy.tokens.ports import CallerLenders, Lender

MOST_NAMES: Final = 1024


class _Fate(enum.Enum):
    """What becomes of a field, by its name."""

    PASS = 1
    STAY = 2
    HOST = 3
    LENGTH = 4


_FATES: Final = {
    b"host": _Fate.HOST,
    b"content-length": _Fate.LENGTH,
    b"transfer-encoding": _Fate.PASS,
}


class Outlet:
    """A route's way out.

    Attributes:
        credential: what is put on requests, or None.
        callers: gives each caller a credential of its own instead, or None.
        inject: what stands before the token, e.g. ``Authorization: Bearer ``.
        takes_along: something of a request's head is needed when it is written or answered.
        dropped: the names that this route does not forward, besides those that always stop here.
    """

    __slots__ = (
        *("_fates", "_host_line"),
        *("callers", "credential", "dropped", "inject", "route", "takes_along"),
    )

    def __init__(
        self, route: Route, credential: Lender | None, callers: CallerLenders | None = None
    ) -> None:
        self.route = route
        self.credential = credential
        self.callers = callers
        self.inject = _before_the_token(route).encode("latin-1")
        self.takes_along = route.rewrite_location or (route.session and route.cookies)
        self._host_line = b"Host: " + route.upstream.authority.encode("ascii")
        self.dropped = _dropped(route)
        self._fates: dict[bytes, _Fate] = dict(_FATES)

    def untrailed(self, further: frozenset[bytes]) -> frozenset[bytes]:
        """The names that may not come back as trailers."""
        return self.dropped | further if further else self.dropped

    def lines(
        self, start: bytes, fields: Fields, further: frozenset[bytes], *, cut: bool
    ) -> tuple[bytes, bytes]:
        """The outgoing head in the order it came, cut where Content-Length's digits stand.

        Args:
            start: the request line.
            fields: the client's.
            further: names that stay here in this request only; framing is never among them.
            cut: whether to leave the digits out.
        """
        lines, before, fates = [start], b"", self._fates
        if not values(fields, b"host"):
            lines.append(self._host_line)
        for name, _, line in fields:
            fate = fates.get(name) or self._learn(name)
            if fate is _Fate.PASS:
                if not further or name in _FATES or name.replace(b"_", b"-") not in further:
                    lines.append(line)
            elif fate is _Fate.HOST:
                lines.append(self._host_line)
            elif fate is _Fate.LENGTH and cut:
                before, lines = b"\r\n".join(lines) + LENGTH_FIELD, [b""]
            elif fate is _Fate.LENGTH:
                lines.append(line)
        return before, b"\r\n".join(lines) + b"\r\n"

    def outline(self, start: bytes, fields: Fields, tail: bytes, *, cut: bool) -> Outline:
        """How heads go out that agree with this one in every deciding line."""
        outcome = {}
        for name, _, line in fields:
            fate = self._fates.get(name) or self._learn(name)
            if fate is _Fate.HOST:
                outcome[line] = self._host_line
            elif fate is _Fate.LENGTH and cut:
                outcome[LENGTH_LINE] = CUT
            elif fate is _Fate.STAY:
                outcome[line] = b""
        hosted = start if values(fields, b"host") else start + b"\r\n" + self._host_line
        return Outline(hosted, outcome, tail)

    def _learn(self, name: bytes) -> _Fate:
        stays = stops_here(name) or name.replace(b"_", b"-") in self.dropped
        fate = _Fate.STAY if stays else _Fate.PASS
        if len(self._fates) >= MOST_NAMES:
            self._fates = dict(_FATES)
        self._fates[name] = fate
        return fate


def _before_the_token(route: Route) -> str:
    if route.session:
        return "Cookie: "
    return f"{route.header}: {route.scheme and route.scheme + ' '}"


def _dropped(route: Route) -> frozenset[bytes]:
    """The names that this route does not forward, besides those that always stop here."""
    names = set(NOTHING)
    if route.session:
        return frozenset({b"authorization", b"cookie"})
    if route.credential:
        names |= {b"authorization", route.header.lower().replace("_", "-").encode("latin-1")}
    if not route.cookies:
        names.add(b"cookie")
    return frozenset(names)
