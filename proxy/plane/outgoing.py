"""A request on its way out: its head, the body bytes that wait, and those that may be sent again.

Bodies are kept as references to what was read, without copying, within a budget that
all requests share (limits.replay_budget). No I/O.
"""

from __future__ import annotations

from proxy.plane.cookies import beside
from proxy.plane.intake import Piece
from proxy.plane.prepare import Prepared
from proxy.tokens.lease import Lease


class Budget:
    """Bytes that may be kept at once."""

    __slots__ = ("_left",)

    def __init__(self, most: int) -> None:
        self._left = most

    def reserve(self, size: int) -> bool:
        """Take ``size`` bytes of it; False where it does not hold them."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def release(self, size: int) -> None:
        """Give back what was reserved."""
        self._left += size


class Outgoing:
    """What goes to the upstream for one request.

    Attributes:
        size: bytes of the body so far, as the client sent them.
        waiting: bytes that were taken from the client and not yet sent.
    """

    __slots__ = ("_budget", "_digits", "_kept", "_most", "_pending", "_prepared", "size", "waiting")

    def __init__(self, prepared: Prepared, digits: bytes, budget: Budget, most: int) -> None:
        self._prepared = prepared
        self._digits = digits
        self._budget = budget
        self._most = most
        self._kept: list[bytes] | None = [] if prepared.credential else None
        self._pending: list[bytes] = []
        self.size = 0
        self.waiting = 0

    @property
    def repeatable(self) -> bool:
        """Whether everything that came so far is kept."""
        return self._kept is not None

    def keep(self, piece: Piece) -> None:
        """Count a piece that is sent, and remember it for a replay unless it is too much."""
        encoded, size = piece
        self.size += size
        if self._kept is None:
            return
        self._most -= len(encoded)
        if self._most < 0 or not self._budget.reserve(len(encoded)):
            self.release()
        else:
            self._kept.append(encoded)

    def wait(self, piece: Piece) -> None:
        """Remember a piece until there is a connection and a token."""
        encoded = piece.encoded
        if encoded:
            self.keep(piece)
            self._pending.append(encoded)
            self.waiting += len(encoded)

    def message(self, lease: Lease | None) -> bytes:
        """The head with the credential of this moment, and the body bytes that waited."""
        prepared = self._prepared
        parts = [prepared.before, self._digits, prepared.after]
        if lease is not None:
            value = lease.value
            if prepared.cookies and lease.session is not None:
                value = beside(value, lease.session.cookies, prepared.cookies)
            parts += (prepared.inject, value, b"\r\n")
        parts.append(b"\r\n")
        if self._pending:
            parts += self._pending
            self._pending.clear()
            self.waiting = 0
        return b"".join(parts)

    def unsend(self, message: bytes) -> None:
        """Have the next message carry the body bytes of this one, which was not taken."""
        body = message.partition(b"\r\n\r\n")[2]
        self._pending = [body] if body else []
        self.waiting = len(body)

    def rewind(self) -> None:
        """Have the next message carry all that was kept."""
        self._pending = list(self._kept or ())

    def release(self) -> None:
        """Keep nothing from now on."""
        kept, self._kept = self._kept, None
        if kept:
            self._budget.release(len(kept[0]) if len(kept) == 1 else sum(map(len, kept)))
