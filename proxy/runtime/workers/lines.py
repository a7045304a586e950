"""Standard error as several processes can share it: whole lines, never cut by another's.

A pipe takes up to ``PIPE_BUF`` bytes at once or not at all, so lines are written in pieces of
whole lines no longer than that.
"""

from __future__ import annotations

import contextlib
import os
import select
from typing import Final

AT_ONCE: Final = select.PIPE_BUF


class WholeLines:
    """What a log writes to; closing it is nobody's business here."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Write lines, each with its end."""
        data = text.encode("utf-8", "backslashreplace")
        while data:
            size = piece(data, AT_ONCE)
            self._all(data[:size])
            data = data[size:]
        return len(text)

    def flush(self) -> None:
        """Nothing is kept here."""

    def _all(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody reads the log any more: that ends no request
            while data:
                data = data[os.write(self._descriptor, data) :]


def piece(data: bytes, most: int) -> int:
    """How many bytes of ``data`` are whole lines of at most ``most`` bytes; at least one line."""
    if len(data) <= most:
        return len(data)
    end = data.rfind(b"\n", 0, most) + 1
    return end or data.find(b"\n") + 1 or len(data)
