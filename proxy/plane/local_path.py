"""Where a request stands on a route that answers some of them here.

Looks at the path behind the route's own, decoded segment by segment as routes are chosen, so that
no other spelling of a login's address slips through to the upstream. No I/O.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from proxy.http1.fields import values
from proxy.http1.head import RequestHead
from proxy.http1.target import Target, segments
from proxy.plane.local import Asked, LocalAnswers, Place
from proxy.plane.routes import behind, route_segments
from proxy.plane.settings import Route
from proxy.tokens.ports import Lender


class Question(NamedTuple):
    """What is asked here, without its body, and who answers."""

    route: Route
    place: Place
    asked: Asked
    credential: Lender | None


class Local(NamedTuple):
    """One request on such a route; ``start`` is the target's path up to ``parts``."""

    route: Route
    answers: LocalAnswers
    head: RequestHead
    target: Target
    start: bytes
    parts: tuple[bytes, ...]

    @classmethod
    def of(cls, route: Route, head: RequestHead, target: Target) -> Self | None:
        """None for ordinary routes, which are nearly all."""
        if route.local is None:
            return None
        rest = behind(len(route_segments(route.path)), target.path)
        start = target.path[: len(target.path) - len(rest)]
        start = start if start.endswith(b"/") else start + b"/"
        return cls(route, route.local, head, target, start, tuple(segments(b"/" + rest)))

    @property
    def place(self) -> Place | None:
        """What answers here, or None: the upstream does."""
        return self.answers.place(self.head.method, self.parts)

    @property
    def asked_by_nobody(self) -> bool:
        """Whether this is asked before a key can be shown."""
        return self.answers.asked_by_nobody(self.head.method, self.parts)

    def asked(self, client: str | None, scheme: bytes) -> Asked:
        """The request as the place sees it; its body is still to come."""
        fields = self.head.fields
        authority = self.target.authority or b"".join(values(fields, b"host")) or b"localhost"
        base = (scheme + authority + self.start).decode("ascii")
        return Asked(base, self.parts, self.target.query, fields, client)
