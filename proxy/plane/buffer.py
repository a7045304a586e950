"""The one large buffer that responses are read into, shared by all upstream connections.

Each read is passed on before the next one starts, so one buffer serves them all; what a
slow client has not taken yet keeps the old buffer alive and a fresh one takes its place.
"""

from __future__ import annotations

from typing import Final

SIZE: Final = 256 << 10


class ReadBuffer:
    """Hands out its ``view``; ``replace`` it while somebody still writes from it."""

    __slots__ = ("view",)

    def __init__(self) -> None:
        self.replace()

    def replace(self) -> None:
        """Leave the current memory to whoever still needs it."""
        self.view = memoryview(bytearray(SIZE))
