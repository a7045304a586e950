"""Where a response points to, seen from the client: what lies behind the route lies here.

Only for routes with ``rewrite_location``. Touches the value of Location (RFC 9110 section
10.2.2) and Content-Location (section 8.7), and of those only what the route would lead back
to the same place; everything else keeps its bytes. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from proxy.http1.refusal import MessageError
from proxy.http1.target import check_path, split_authority
from proxy.plane.response import PreparedResponse
from proxy.plane.settings import Route

ABSOLUTE: Final = re.compile(rb"(https?)://([^/?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
NAMES: Final = frozenset({b"location", b"content-location"})
PORTS: Final = {b"http": 80, b"https": 443}


class Relocation:
    """One route's way back."""

    __slots__ = ("_host", "_path", "_port", "_scheme", "_upstream_path")

    def __init__(self, route: Route) -> None:
        self._scheme = b"http" if route.upstream.tls is None else b"https"
        self._host = route.upstream.host.lower()
        self._port = route.upstream.port
        self._upstream_path = route.upstream_path.encode("ascii")
        self._path = route.path.encode("ascii")

    def apply(self, response: PreparedResponse, here: bytes) -> PreparedResponse:
        """The response as the client shall see it.

        Args:
            response: as the upstream gave it.
            here: scheme and authority by which the client knows us; empty where it did not say.
        """
        before, after = self._lines(response.before, here), self._lines(response.after, here)
        return replace(response, before=before, after=after)

    def _lines(self, head: bytes, here: bytes) -> bytes:
        if b"location:" not in head.lower():
            return head
        return b"\r\n".join(self._line(line, here) for line in head.split(b"\r\n"))

    def _line(self, line: bytes, here: bytes) -> bytes:
        name, _, spaced = line.partition(b":")
        if name.lower() not in NAMES:
            return line
        value = spaced.strip(b" \t")
        return line.replace(value, self.reference(value, here), 1) if value else line

    def reference(self, value: bytes, here: bytes) -> bytes:
        """A URI reference that points here, if ``value`` points at the route's upstream."""
        match = ABSOLUTE.fullmatch(value)
        if match is None or not self._is_upstream(match[1].lower(), match[2]):
            return value
        rest = self._behind(match[3] or b"/")
        if rest is None or (self._path == b"/" and rest.startswith(b"/")):
            return value
        return here + self._path + rest + match[4]

    def _is_upstream(self, scheme: bytes, authority: bytes) -> bool:
        try:
            host, port = split_authority(authority)
        except MessageError:
            return False  # with a user, for one: not ours to hide
        same = host.strip("[]") == self._host and (port or PORTS[scheme]) == self._port
        return same and scheme == self._scheme

    def _behind(self, path: bytes) -> bytes | None:
        """What a request's path has behind the route's to reach ``path``; None if it can't."""
        try:
            check_path(path)
        except MessageError:
            return None
        own = self._upstream_path
        if path == own:
            return b""
        prefix = own if own.endswith(b"/") else own + b"/"
        rest = path[len(prefix) :] if path.startswith(prefix) else b""
        return rest or None
