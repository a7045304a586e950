"""Whether an answer means that the session it was asked with has ended.

Web applications seldom say 401: they redirect to the sign-in page, or show it where the program
asked for something else. Judges one route's answers by their heads alone; what follows from it
is the 401 rule's. RFC 9110 section 10.2.2, RFC 3986 section 5.
"""

from __future__ import annotations

import functools
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from proxy.plane.cache import HeadCache
from proxy.plane.response import PreparedResponse
from proxy.plane.settings import Route
from proxy.tokens.session import Session

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PAGES: Final = frozenset({200, 403})
UNAUTHORIZED: Final = 401
LOCATION: Final = re.compile(rb"\r\nlocation:[ \t]*([^\r\n]*)", re.IGNORECASE)
TYPE: Final = re.compile(rb"\r\ncontent-type:[ \t]*([^\r\n; \t]*)", re.IGNORECASE)
HTML: Final = frozenset({b"text/html", b"application/xhtml+xml"})
PORTS: Final = {"http": 80, "https": 443}


class SignIn:
    """What one route's upstream does with requests whose session has ended.

    Remembers some hundred paths, those asked for lately: True where the last good answer was no
    HTML, so that a page is a sign; False where one came even with a session that had just begun.
    """

    __slots__ = ("_origin", "_tells")

    def __init__(self, route: Route) -> None:
        scheme = "http" if route.upstream.tls is None else "https"
        self._origin = f"{scheme}://{route.upstream.authority}"
        self._tells: HeadCache[bool] = HeadCache()

    def shown(
        self, response: PreparedResponse, target: bytes, session: Session, *, renewed: bool
    ) -> bool:
        """Whether the session has ended by this answer to a request for ``target``.

        Args:
            response: as the upstream gave it.
            target: as the upstream was asked.
            session: what the request was sent with.
            renewed: the request is a replay: its session has just begun.
        """
        status = response.status
        if status in REDIRECTS:
            return self._leads_in(response, target, session)
        if status == UNAUTHORIZED:
            return True
        return self._page(response, target.partition(b"?")[0], renewed=renewed)

    def _leads_in(self, response: PreparedResponse, target: bytes, session: Session) -> bool:
        location = _value(LOCATION, response)
        if not location or not session.entrances:
            return False
        here = self._origin + target.decode("latin-1")
        place = _place(_resolved(here, location.decode("latin-1")))
        return place is not None and place in _places(session.entrances)

    def _page(self, response: PreparedResponse, path: bytes, *, renewed: bool) -> bool:
        """HTML where something else was; learns what the path answers with."""
        good = 200 <= response.status < 300
        media_type = _value(TYPE, response).lower()
        if not media_type or not (good or response.status in PAGES):
            return False
        tells = self._tells.get(path)
        if media_type not in HTML:
            if good and tells is None:
                self._tells.put(path, True)
            return False
        if not tells or response.status not in PAGES:
            return False
        if renewed:
            self._tells.put(path, False)
        return not renewed


def _value(field: re.Pattern[bytes], response: PreparedResponse) -> bytes:
    match = field.search(response.before) or field.search(response.after)
    return match[1].rstrip(b" \t") if match else b""


def _resolved(here: str, location: str) -> str:
    try:
        return urljoin(here, location)
    except ValueError:  # half of an IPv6 address, for one
        return ""


@functools.lru_cache(maxsize=256)
def _places(urls: frozenset[str]) -> frozenset[str]:
    return frozenset(place for place in map(_place, urls) if place is not None)


def _place(url: str) -> str | None:
    """Scheme, host, port and path of a URL in one spelling; None where it is none of ours."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if port is None or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path or '/'}"
