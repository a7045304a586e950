"""A request's body as it comes from the client: cut off exactly, framed for the upstream.

The same cutting serves a body that is only to be got out of the way. No I/O.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from proxy.http1.chunked import ChunkedReader, encode_chunks, encode_end
from proxy.http1.fields import trailers_to_pass
from proxy.http1.framing import Kind
from proxy.plane.prepare import Prepared


class Piece(NamedTuple):
    """Part of a body: as it goes to the upstream, and how many of the body's own bytes it holds."""

    encoded: bytes
    size: int


NOTHING: Final = Piece(b"", 0)


class Intake(Protocol):
    """One body under way; ``rest`` holds the bytes behind it once it is ``done``."""

    rest: bytes

    @property
    def done(self) -> bool:
        """Whether all of it has come."""

    def feed(self, received: bytes) -> Piece:
        """Take bytes from the client.

        Raises:
            MessageError: the coding is broken.
        """


class _Counted:
    __slots__ = ("_left", "rest")

    def __init__(self, length: int) -> None:
        self._left = length
        self.rest = b""

    @property
    def done(self) -> bool:
        return not self._left

    def feed(self, received: bytes) -> Piece:
        if len(received) > self._left:
            received, self.rest = received[: self._left], received[self._left :]
        self._left -= len(received)
        return Piece(received, len(received))


class _Chunked:
    __slots__ = ("_reader", "_untrailed", "rest")

    def __init__(self, untrailed: frozenset[bytes]) -> None:
        self._reader = ChunkedReader()
        self._untrailed = untrailed
        self.rest = b""

    @property
    def done(self) -> bool:
        return self._reader.done

    def feed(self, received: bytes) -> Piece:
        pieces = self._reader.feed(received)
        encoded = encode_chunks(pieces) if pieces else b""
        if self._reader.done:
            self.rest = self._reader.rest
            encoded += encode_end(trailers_to_pass(self._reader.trailers, self._untrailed))
        return Piece(encoded, sum(map(len, pieces)))


def intake_for(prepared: Prepared, length: int) -> Intake:
    """What reads the body of this request."""
    if prepared.framing.kind is Kind.CHUNKED:
        return _Chunked(prepared.untrailed)
    return _Counted(length)
