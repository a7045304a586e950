"""Which upstream a request goes to: from the configuration alone, never from the request.

A route is chosen by listener and host, then by the longest path, compared segment by
segment; the cost does not grow with the number of routes. Decides without I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from proxy.http1.refusal import MessageError
from proxy.http1.target import Target, segments
from proxy.plane.settings import Address, Route

Segments = tuple[bytes, ...]


class Match(NamedTuple):
    """A route and the target its upstream is asked for."""

    route: Route
    target: bytes


class _Tree:
    """The routes of one listener and host, by their decoded segments."""

    __slots__ = ("_by_segments", "_deepest")

    def __init__(self) -> None:
        self._by_segments: dict[Segments, Route] = {}
        self._deepest = 0

    def add(self, route: Route) -> None:
        key = route_segments(route.path)
        self._by_segments[key] = route
        self._deepest = max(self._deepest, len(key))

    def longest(self, parts: list[bytes]) -> tuple[Route, int] | None:
        for depth in range(min(self._deepest, len(parts)), -1, -1):
            route = self._by_segments.get(tuple(parts[:depth]))
            if route is not None:
                return route, depth
        return None


def route_segments(path: str) -> Segments:
    """The decoded segments that a route's path asks for; ``/`` has none."""
    return tuple(segments(path.rstrip("/").encode())) if path != "/" else ()


class RouteTable:
    """The routes of one configuration."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._trees: dict[tuple[Address | None, str | None], _Tree] = {}
        for route in self.routes:
            self._trees.setdefault((route.listener, route.host), _Tree()).add(route)

    def match(self, listener: Address | None, host: str | None, target: Target) -> Match | None:
        """The route for a request that came in at ``listener`` (None: a main one).

        Raises:
            MessageError: the upstream's target would begin with ``//``.
        """
        parts = segments(target.path)
        for wanted in (host, None):
            tree = self._trees.get((listener, wanted))
            found = tree.longest(parts) if tree else None
            if found is not None:
                return Match(found[0], upstream_target(found[0], found[1], target))
        return None


def behind(depth: int, path: bytes) -> bytes:
    """What follows the first ``depth`` segments of a path, as it was sent."""
    return b"".join(path.split(b"/", depth + 1)[depth + 1 :])


def upstream_target(route: Route, depth: int, target: Target) -> bytes:
    """What follows the route's path, appended to the upstream's path byte for byte.

    The route's own path, with or without its last slash, is the upstream's as configured: one
    that ends without a slash is an endpoint of its own, and a slash joins what follows it.
    """
    rest = behind(depth, target.path)
    path = route.upstream_path.encode("ascii")
    if rest:
        path += rest if path.endswith(b"/") else b"/" + rest
    if path.startswith(b"//"):
        raise MessageError("the path would begin with // at the upstream")
    return path + target.query
