"""What a route does to the answers that pass it, besides what every answer meets.

Only for routes whose credential is a session, or with ``rewrite_location``; all others have no
way back of their own and are spared the look. No I/O.
"""

from __future__ import annotations

from typing import Final

from proxy.plane.cookies import withheld
from proxy.plane.prepare import Prepared
from proxy.plane.relocation import Relocation
from proxy.plane.response import PreparedResponse
from proxy.plane.settings import Route
from proxy.plane.sign_in import SignIn
from proxy.tokens.lease import Lease

UNAUTHORIZED: Final = 401


class WayBack:
    """One route's way back."""

    __slots__ = ("_relocation", "_sign_in")

    def __init__(self, route: Route) -> None:
        self._relocation = Relocation(route) if route.rewrite_location else None
        self._sign_in = SignIn(route)

    @classmethod
    def of(cls, route: Route) -> WayBack | None:
        """The route's, if it has one."""
        return cls(route) if route.session or route.rewrite_location else None

    def refuses(
        self, response: PreparedResponse, request: Prepared, lease: Lease | None, *, renewed: bool
    ) -> bool:
        """Whether the answer says that what was sent with the request is not valid any more.

        Args:
            response: as the upstream gave it.
            request: what it answers.
            lease: what it was sent with.
            renewed: the request is a replay with a new one.
        """
        session = None if lease is None else lease.session
        if session is None:
            return response.status == UNAUTHORIZED
        return self._sign_in.shown(response, request.target, session, renewed=renewed)

    def apply(
        self, response: PreparedResponse, request: Prepared, lease: Lease | None
    ) -> PreparedResponse:
        """The response as the client shall see it."""
        if lease is not None and lease.session is not None:
            response = withheld(response, lease.session.cookies)
        if self._relocation is not None:
            response = self._relocation.apply(response, request.here)
        return response
