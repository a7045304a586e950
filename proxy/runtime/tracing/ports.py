"""What the rest of the runtime knows of tracing; knows nothing of OpenTelemetry itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from proxy.control.snapshot import Spans
from proxy.plane.tracing import Tracing
from proxy.tokens.ports import TokenSource

if TYPE_CHECKING:  # a worker asks no provider, and is smaller for it
    from proxy.idp.endpoint import Sender


class TokenTracing(Protocol):
    """Follows what asks for tokens."""

    def source(self, name: str, source: TokenSource) -> TokenSource:
        """The source of the credential ``name``, followed."""

    def sender(self, sender: Sender) -> Sender:
        """What carries its requests, followed."""


class Unfollowed:
    """Where nobody follows, everything stays as it is."""

    def source(self, name: str, source: TokenSource) -> TokenSource:  # noqa: ARG002 - the port's
        """The source itself."""
        return source

    def sender(self, sender: Sender) -> Sender:
        """The sender itself."""
        return sender


UNFOLLOWED: Final = Unfollowed()


class Followed(Protocol):
    """Everything that follows in one process."""

    @property
    def requests(self) -> Tracing:
        """For the plane."""

    @property
    def tokens(self) -> TokenTracing:
        """For what asks for tokens."""

    def spans(self) -> Spans:
        """What became of the spans so far."""

    def close(self) -> None:
        """Export the last spans, waiting a moment for it: not in the event loop."""


def together(*parts: Spans | None) -> Spans | None:
    """The spans of several processes as those of one; None where nobody follows."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return Spans(sum(part.exported for part in known), sum(part.lost for part in known))
