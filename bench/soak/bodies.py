"""Bodies that both ends know: from kind, size and seed follows every byte, so each is compared.

A body is a stretch of a block that repeats; the seed says where it begins. So a body that belongs
to another request is told from one that is damaged.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK = 64 << 10
"""Bytes that are written at a time."""
MOST = 1 << 18
"""Bytes that may be compared at a time."""
PERIOD = (1 << 20) + 7
STRIDE = 7919
TELLING = 32
"""So many bytes tell where in a block they are from."""

TYPES = {
    "json": "application/json",
    "arrow": "application/vnd.apache.arrow.file",
    "sse": "text/event-stream",
}
"""Kind → content type."""


def _rows(numbers: random.Random) -> bytes:
    return json.dumps({"tensor": [numbers.gauss(0, 1) for _ in range(29)]}).encode() + b",\n"


def _event(numbers: random.Random) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"%x"}}]}\n\n' % numbers.getrandbits(128)


def _block(kind: str) -> bytes:
    numbers, made = random.Random(kind), bytearray()
    if kind == "arrow":
        made += numbers.randbytes(PERIOD)
    while len(made) < PERIOD:
        made += _rows(numbers) if kind == "json" else _event(numbers)
    return bytes(made[:PERIOD] + made[:MOST])


BLOCKS = {kind: _block(kind) for kind in TYPES}


@dataclass(frozen=True, slots=True)
class Body:
    """``size`` bytes of a ``kind``, as ``seed`` says."""

    kind: str
    size: int
    seed: int

    def offset(self, position: int) -> int:
        """Where in the block the byte at ``position`` stands."""
        return (self.seed * STRIDE + position) % PERIOD

    def pieces(self, end: int | None = None, step: int = CHUNK) -> Iterator[bytes]:
        """Its bytes in order, or those before ``end``, at most ``step`` at a time."""
        block, last = BLOCKS[self.kind], self.size if end is None else end
        for position in range(0, last, step):
            at = self.offset(position)
            yield block[at : at + min(step, last - position)]


class Check:
    """Compares what comes with what was meant; ``fault`` says what was found first, or None."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.taken = 0
        self.fault: str | None = None

    def feed(self, received: bytes) -> None:
        """More of the body."""
        for start in range(0, len(received), MOST):
            piece = received[start : start + MOST]
            if self.fault is None and not self._right(piece):
                self.fault = self._what(piece)
            self.taken += len(piece)

    def end(self) -> str | None:
        """It ended here as a whole; the fault, if there is one."""
        if self.fault is None and self.taken != self._body.size:
            self.fault = f"corrupt: {self.taken} bytes instead of {self._body.size}"
        return self.fault

    def _right(self, piece: bytes) -> bool:
        within = self.taken + len(piece) <= self._body.size
        return within and BLOCKS[self._body.kind].startswith(piece, self._body.offset(self.taken))

    def _what(self, piece: bytes) -> str:
        found = [kind for kind, block in BLOCKS.items() if piece[:TELLING] in block]
        strange = found and len(piece) >= TELLING and self.taken < self._body.size
        what = "mixed up: another body" if strange else "corrupt: other bytes"
        return f"{what} at {self.taken} of {self._body.size}"
