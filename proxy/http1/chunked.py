"""The chunked coding, read strictly and written plainly (RFC 9112 section 7.1).

Extensions are dropped, trailers kept. Fed any split of the bytes it gives the same body.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from proxy.http1.fields import Field, parse_field
from proxy.http1.refusal import MessageError
from proxy.http1.syntax import FIELD_TEXT, split_lines

SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;.*)?")
MOST_SIZE_LINE: Final = 4096
MOST_TRAILERS: Final = 16 << 10


class _Next(enum.Enum):
    SIZE = 1
    BODY = 2
    END = 3
    TRAILERS = 4
    DONE = 5


class ChunkedReader:
    """Takes the coding's bytes as they come and gives the body's bytes.

    Attributes:
        trailers: the trailer fields, once ``done``.
        rest: the bytes behind the message, once ``done``.
    """

    __slots__ = ("_buffer", "_left", "_next", "rest", "trailers")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._next = _Next.SIZE
        self.trailers: list[Field] = []
        self.rest = b""

    @property
    def done(self) -> bool:
        """Whether the last chunk and its trailers have been read."""
        return self._next is _Next.DONE

    def feed(self, received: bytes) -> list[bytes]:
        """The pieces of the body that ``received`` completes, in order, none empty.

        Raises:
            MessageError: the coding is broken; nothing more can be read.
        """
        buffer = self._buffer + received if self._buffer else received
        position, pieces = 0, list[bytes]()
        while self._next is not _Next.DONE:
            if self._next is _Next.BODY:
                position = self._body(buffer, position, pieces)
                if self._left:
                    break
            elif (after := self._line(buffer, position)) is None:
                break
            else:
                position = after
        self._keep(buffer[position:])
        return pieces

    def _keep(self, rest: bytes) -> None:
        if self._next is _Next.DONE:
            self._buffer, self.rest = b"", rest
        else:
            self._buffer = rest

    def _body(self, buffer: bytes, position: int, pieces: list[bytes]) -> int:
        piece = buffer[position : position + self._left]
        if piece:
            pieces.append(piece)
            self._left -= len(piece)
        if not self._left:
            self._next = _Next.END
        return position + len(piece)

    def _line(self, buffer: bytes, position: int) -> int | None:
        """Read one line (or all trailers) at ``position``; None where it is not whole yet."""
        if self._next is _Next.END:
            return self._chunk_end(buffer, position)
        if self._next is _Next.TRAILERS:
            return self._trailer_section(buffer, position)
        return self._size(buffer, position)

    def _size(self, buffer: bytes, position: int) -> int | None:
        end = buffer.find(b"\n", position, position + MOST_SIZE_LINE)
        if end < 0:
            if len(buffer) - position >= MOST_SIZE_LINE:
                raise MessageError("a chunk size line that does not end")
            return None
        line = buffer[position:end]
        match = SIZE.fullmatch(line[:-1])
        if not line.endswith(b"\r") or not match or line[:-1].translate(None, FIELD_TEXT):
            raise MessageError("a malformed chunk size")
        self._left = int(match[1], 16)
        self._next = _Next.BODY if self._left else _Next.TRAILERS
        return end + 1

    def _chunk_end(self, buffer: bytes, position: int) -> int | None:
        end = buffer[position : position + 2]
        if not b"\r\n".startswith(end):
            raise MessageError("a chunk that is longer than its size says")
        if len(end) < 2:
            return None
        self._next = _Next.SIZE
        return position + 2

    def _trailer_section(self, buffer: bytes, position: int) -> int | None:
        if buffer.startswith(b"\r\n", position):
            self._next = _Next.DONE
            return position + 2
        end = buffer.find(b"\r\n\r\n", position, position + MOST_TRAILERS)
        if end < 0:
            if len(buffer) - position >= MOST_TRAILERS:
                raise MessageError("trailers larger than 16 KiB", 431)
            return None
        section = buffer[position : end + 4]
        self.trailers = [parse_field(line) for line in split_lines(section)]
        self._next = _Next.DONE
        return end + 4


def encode_chunks(pieces: list[bytes]) -> bytes:
    """The pieces as chunks, one each, in one buffer."""
    if len(pieces) == 1:
        return b"%x\r\n%b\r\n" % (len(pieces[0]), pieces[0])
    return b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces])


def encode_end(trailers: list[Field]) -> bytes:
    """The last chunk with its trailers."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n" + b"\r\n".join([field.line for field in trailers]) + b"\r\n\r\n"
