"""The port to whoever follows requests from caller to upstream (W3C Trace Context).

What a span is made of, and where it goes, is behind it. Nothing here may wait, and nothing that is
told is secret: no query, no header, no body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.plane.totals import AccessRecord

if TYPE_CHECKING:
    from proxy.plane.prepare import Prepared
    from proxy.plane.settings import Route


class Trace(Protocol):
    """One request that is followed."""

    def sent(self, message: bytes) -> bytes:
        """The message as it goes to the upstream, with our span as its parent.

        Called once more where the request is sent again.
        """

    def answered(self, status: int) -> None:
        """The upstream's answer begins."""

    def finished(self, record: AccessRecord) -> None:
        """The exchange is over."""


class Tracing(Protocol):
    """Follows every request, or the share that it has chosen."""

    def begin(self, prepared: Prepared, route: Route, *, secure: bool) -> Trace:
        """A request has come; ``secure``: by TLS."""
