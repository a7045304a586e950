"""How supervisor and worker cut what they say to each other: length, JSON, and bytes behind it.

No I/O. What a worker says is JSON alone, which can do no harm by being read; what is no JSON
object raises, and ends the connection.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

Said = Mapping[str, Any]
LENGTH: Final = struct.Struct("!I")
MOST: Final = 64 << 20
"""Bytes of one frame; a configuration of thousands of routes stays far below."""


class FrameError(ValueError):
    """What came is no frame of ours."""


def frame(said: Said, blob: bytes = b"") -> bytes:
    """One frame: ``said`` as JSON, and ``blob`` as it is."""
    words = json.dumps(said, separators=(",", ":")).encode("ascii")
    return b"".join((LENGTH.pack(len(words) + 1 + len(blob)), words, b"\n", blob))


class Frames:
    """Puts frames together again from bytes that come in any pieces."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Said, bytes]]:
        """Every frame that is complete now.

        Raises:
            FrameError: one is too long or holds no JSON object.
        """
        self._kept += data
        while len(self._kept) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._kept)
            if length > MOST:
                raise FrameError("too long a frame")
            end = LENGTH.size + length
            if len(self._kept) < end:
                return
            body = bytes(self._kept[LENGTH.size : end])
            del self._kept[:end]
            yield _read(body)


def _read(body: bytes) -> tuple[Said, bytes]:
    words, _, blob = body.partition(b"\n")
    try:
        said = json.loads(words)
    except ValueError:
        raise FrameError("no JSON in a frame") from None
    if not isinstance(said, dict) or not isinstance(said.get("kind"), str):
        raise FrameError("no object with a kind in a frame")
    return said, blob
