"""Where a message's body ends (RFC 9112 section 6), stricter than the RFC asks.

Anything that two readers could count differently is refused, never repaired.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

from proxy.http1.fields import Field, values
from proxy.http1.refusal import MessageError

MOST_DIGITS: Final = 18
BODYLESS: Final = frozenset({204, 304})


class Kind(enum.Enum):
    """How a body is delimited."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class Framing(NamedTuple):
    """A body's delimitation; ``length`` counts bytes and is 0 unless the kind is LENGTH."""

    kind: Kind
    length: int = 0


NO_BODY: Final = Framing(Kind.NONE)
CHUNKED: Final = Framing(Kind.CHUNKED)
UNTIL_CLOSE: Final = Framing(Kind.CLOSE)


def content_length(fields: Sequence[Field]) -> int | None:
    """The one Content-Length, or None.

    Raises:
        MessageError: more than one, a list, a sign, or anything but up to 18 digits.
    """
    found = values(fields, b"content-length")
    if not found:
        return None
    if len(found) > 1 or not found[0].isdigit() or len(found[0]) > MOST_DIGITS:
        raise MessageError("Content-Length is not one plain number")
    return int(found[0])


def of_request(fields: Sequence[Field], minor: int) -> Framing:
    """How a request's body ends.

    Raises:
        MessageError: both framings, an unknown coding (501), a bad length, chunks in HTTP/1.0.
    """
    length = content_length(fields)
    codings = values(fields, b"transfer-encoding")
    if not codings:
        return NO_BODY if length is None else Framing(Kind.LENGTH, length)
    if length is not None:
        raise MessageError("both Content-Length and Transfer-Encoding")
    if minor == 0:
        raise MessageError("Transfer-Encoding in an HTTP/1.0 request")
    _only_chunked(fields)
    return CHUNKED


def of_response(fields: Sequence[Field], status: int, minor: int, *, to_head: bool) -> Framing:
    """How a response's body ends; ``to_head`` says that it answers a HEAD.

    Raises:
        MessageError: both framings, an unknown coding, a bad length.
    """
    length = content_length(fields)
    codings = values(fields, b"transfer-encoding")
    if codings and (length is not None or minor == 0):
        raise MessageError("Transfer-Encoding beside Content-Length or in HTTP/1.0")
    if codings:
        _only_chunked(fields)
    if to_head or status < 200 or status in BODYLESS:
        return NO_BODY
    if codings:
        return CHUNKED
    return UNTIL_CLOSE if length is None else Framing(Kind.LENGTH, length)


def _only_chunked(fields: Sequence[Field]) -> None:
    lines = [field.line for field in fields if field.name == b"transfer-encoding"]
    coding = lines[0].partition(b":")[2].strip(b" ")  # with a tab behind it llhttp does not see it
    if len(lines) > 1 or coding.lower() != b"chunked":
        raise MessageError("a transfer coding other than chunked", 501)
