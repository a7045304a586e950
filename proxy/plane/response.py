"""From an upstream's response head to the head its client gets.

Everything here follows from the head's bytes and from whether it answers a HEAD, so
equal heads share one result. What depends on the client's connection is added later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from proxy.http1.fields import Fields, nominated, stops_on_return, values
from proxy.http1.framing import Framing, Kind, of_response
from proxy.http1.head import ResponseHead, parse_response
from proxy.plane.cache import LENGTH_FIELD, HeadCache, cut_length

KEEP_ALIVE_TIMEOUT: Final = re.compile(rb"timeout=(\d{1,6})")
SWITCHING: Final = 101
NO_CONTENT: Final = 204
CHUNKED_LINE: Final = b"Transfer-Encoding: chunked\r\n"
CLOSE_LINE: Final = b"Connection: close\r\n"
KEEP_LINE: Final = b"Connection: keep-alive\r\n"


@dataclass(slots=True)  # not frozen: one is made for every new head, and that costs 2 µs more
class PreparedResponse:
    """A response head that may be passed on.

    Attributes:
        before, after: the outgoing head, cut where the Content-Length's digits stand, without
            hop-by-hop fields and without the empty line.
        coded: whether the upstream named the chunked coding, where it may (RFC 9112 section 6.1).
        keep_alive: whether the upstream's connection may serve another request.
        unframed: whether the body's length is not known beforehand.
        idle: seconds that the upstream keeps an idle connection, where it says so.
    """

    status: int
    framing: Framing
    before: bytes
    after: bytes
    coded: bool
    keep_alive: bool
    idle: float | None
    unframed: bool


class ResponsePreparer:
    """Prepares the responses of one upstream."""

    def __init__(self, most_fields: int) -> None:
        self._most_fields = most_fields
        self._cache: HeadCache[PreparedResponse] = HeadCache()
        self._cache_of_heads: HeadCache[PreparedResponse] = HeadCache()

    def prepare(self, raw: bytes, *, to_head: bool) -> tuple[PreparedResponse, bytes]:
        """The prepared response, and its Content-Length's digits where ``before`` ends with them.

        Raises:
            MessageError: the head is malformed, or its body can't be delimited safely.
        """
        cache = self._cache_of_heads if to_head else self._cache
        key, digits = cut_length(raw)
        prepared = cache.get(key)
        if prepared is None:
            prepared = self._read(raw, to_head=to_head, cut=bool(digits))
            cache.put(key, prepared)
        return prepared, digits

    def _read(self, raw: bytes, *, to_head: bool, cut: bool) -> PreparedResponse:
        head = parse_response(raw, most_fields=self._most_fields)
        framing = of_response(head.fields, head.status, head.minor, to_head=to_head)
        before, after = _lines(head, cut=cut)
        return PreparedResponse(
            head.status,
            framing,
            before,
            after,
            bool(values(head.fields, b"transfer-encoding")) and head.status != NO_CONTENT,
            _keep_alive(head),
            _idle(head.fields),
            framing.kind is Kind.CHUNKED or framing.kind is Kind.CLOSE,
        )


def hop_lines(prepared: PreparedResponse, minor: int, *, keep_alive: bool) -> bytes:
    """What this hop says to an HTTP/1.``minor`` client: the body's framing, the connection's end.

    A body without a length goes in chunks to HTTP/1.1, and until the close to HTTP/1.0.
    """
    lines = CHUNKED_LINE if minor and (prepared.unframed or prepared.coded) else b""
    if not keep_alive:
        return lines + CLOSE_LINE
    return lines if minor else lines + KEEP_LINE


def _lines(head: ResponseHead, *, cut: bool) -> tuple[bytes, bytes]:
    lines, before = [b"HTTP/1.1 %d %b" % (head.status, head.reason)], b""
    options = nominated(head.fields)
    for name, _, line in head.fields:
        if name == b"content-length" and cut:
            before, lines = b"\r\n".join(lines) + LENGTH_FIELD, [b""]
        elif name == b"content-length" or not (name in options or stops_on_return(name)):
            lines.append(line)
    if head.status == SWITCHING:
        lines += [b"Connection: Upgrade", *(f.line for f in head.fields if f.name == b"upgrade")]
    return before, b"\r\n".join(lines) + b"\r\n"


def _keep_alive(head: ResponseHead) -> bool:
    options = nominated(head.fields)
    if b"close" in options:
        return False
    return head.minor == 1 or b"keep-alive" in options


def _idle(fields: Fields) -> float | None:
    for value in values(fields, b"keep-alive"):
        if match := KEEP_ALIVE_TIMEOUT.search(value.lower()):
            return float(match[1])
    return None
