"""A response's body on its way: counted or dechunked, never parsed, and ended exactly.

Turns what an upstream's connection brings into what the client's connection carries.
No I/O; a body that does not end as its head said is an error, not a guess.
"""

from __future__ import annotations

from typing import Final, Protocol

from proxy.http1.chunked import ChunkedReader, encode_chunks, encode_end
from proxy.http1.fields import trailers_to_pass
from proxy.http1.framing import Framing, Kind

NOTHING_DROPPED: Final[frozenset[bytes]] = frozenset()


class Relay(Protocol):
    """One body under way.

    Attributes:
        taken: how many bytes of body were passed on.
    """

    taken: int

    @property
    def done(self) -> bool:
        """The body is complete."""

    @property
    def excess(self) -> bool:
        """Bytes came behind it: the connection is not to be trusted again."""

    def feed(self, received: bytes) -> bytes:
        """What the client gets for ``received``."""

    def close(self) -> bytes | None:
        """What the client gets when the upstream closes here; None if that breaks the body."""


class Counted:
    """A body of known length."""

    __slots__ = ("excess", "left", "taken")

    def __init__(self, length: int) -> None:
        self.left = length
        self.taken = 0
        self.excess = False

    @property
    def done(self) -> bool:
        """Whether all of it has passed."""
        return not self.left

    def skip(self, size: int) -> bool:
        """Count bytes that are passed on unseen; False where they reach beyond the body."""
        if size > self.left:
            return False
        self.left -= size
        self.taken += size
        return True

    def feed(self, received: bytes) -> bytes:
        """The part of ``received`` that belongs to the body."""
        if len(received) > self.left:
            self.excess = True
            received = received[: self.left]
        self.left -= len(received)
        self.taken += len(received)
        return received

    def close(self) -> bytes | None:
        """A counted body must not end early."""
        return None if self.left else b""


class Dechunked:
    """A chunked body: chunked anew for HTTP/1.1, plain for HTTP/1.0."""

    __slots__ = ("_chunk", "_reader", "taken")

    def __init__(self, *, chunk: bool) -> None:
        self._reader = ChunkedReader()
        self._chunk = chunk
        self.taken = 0

    @property
    def done(self) -> bool:
        """Whether the last chunk and its trailers have passed."""
        return self._reader.done

    @property
    def excess(self) -> bool:
        """Whether bytes came behind the last chunk."""
        return bool(self._reader.rest)

    def feed(self, received: bytes) -> bytes:
        """The chunks that ``received`` completes.

        Raises:
            MessageError: the coding is broken.
        """
        pieces = self._reader.feed(received)
        self.taken += sum(map(len, pieces))
        if not self._chunk:
            return b"".join(pieces)
        encoded = encode_chunks(pieces) if pieces else b""
        if self._reader.done:
            encoded += encode_end(trailers_to_pass(self._reader.trailers, NOTHING_DROPPED))
        return encoded

    def close(self) -> bytes | None:
        """A chunked body ends with its last chunk only."""
        return b"" if self._reader.done else None


class UntilClose:
    """A body that ends with its connection: chunked for HTTP/1.1, plain for HTTP/1.0."""

    __slots__ = ("_chunk", "done", "excess", "taken")

    def __init__(self, *, chunk: bool) -> None:
        self._chunk = chunk
        self.done = False
        self.excess = False
        self.taken = 0

    def feed(self, received: bytes) -> bytes:
        """All that came."""
        self.taken += len(received)
        return encode_chunks([received]) if self._chunk and received else received

    def close(self) -> bytes | None:
        """The end it was waiting for."""
        self.done = True
        return encode_end([]) if self._chunk else b""


def relay_for(framing: Framing, length: int, *, chunk: bool) -> Relay:
    """The relay for a response; ``chunk`` says whether the client understands chunks."""
    if framing.kind is Kind.CHUNKED:
        return Dechunked(chunk=chunk)
    if framing.kind is Kind.CLOSE:
        return UntilClose(chunk=chunk)
    return Counted(length if framing.kind is Kind.LENGTH else 0)
