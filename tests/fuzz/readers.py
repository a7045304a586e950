"""Two other people's ways to read requests: h11's strict one, and one that forgives everything.

The lenient one stands for the worst parser an upstream may have; neither shares a line with
the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import h11

EMPTY_LINES = re.compile(rb"(?:\r\n)*")
HEAD_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
LINE_END = re.compile(rb"\r\n|\n|\r")
FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]+")
NUMBER = re.compile(rb"\s*[+]?(\d+)")
SIZE_LINE = re.compile(rb"\s*(?:0[xX])?([0-9A-Fa-f]+)[^\r\n]*(?:\r\n|\n|\r)")


class Request(NamedTuple):
    """One request as a reader sees it; ``fields`` in lower case, trailers among them not."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...]
    complete: bool

    def all(self, name: bytes) -> list[bytes]:
        """The values of every line of a field."""
        return [value for key, value in self.fields if key == name]


def strict(raw: bytes) -> list[Request]:
    """The requests that h11 reads, up to what it refuses or what ends the connection.

    Empty lines before a request are left out first: RFC 9112 section 2.2 forgives them.
    """
    found: list[Request] = []
    while raw := raw[EMPTY_LINES.match(raw).end() :]:  # type: ignore[union-attr]
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        connection.receive_data(raw)
        request = _one(connection)
        if request is None:
            break
        found.append(request[0])
        if not request[0].complete or not request[1]:
            break
        raw = connection.trailing_data[0]
    return found


def _one(connection: h11.Connection) -> tuple[Request, bool] | None:
    """The next request and whether another one may follow it."""
    head: h11.Request | None = None
    body, trailers, complete = [], (), False
    for event in events(connection):
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body.append(bytes(event.data))
        else:
            complete, trailers = True, tuple(event.headers)
    if head is None:
        return None
    fields = tuple((bytes(name), bytes(value)) for name, value in head.headers)
    request = Request(head.method, head.target, fields, b"".join(body), trailers, complete)
    options = b",".join(request.all(b"connection")).lower().replace(b" ", b"").split(b",")
    persistent = b"close" not in options and (
        head.http_version != b"1.0" or b"keep-alive" in options
    )
    return request, persistent


def events(connection: h11.Connection) -> Iterator[h11.Event]:
    """Everything up to the message's end, to a refusal, or to where bytes are missing."""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return
        if not isinstance(event, h11.Event):
            return
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


def lenient(raw: bytes, *, chunks_first: bool) -> list[Request]:
    """The requests that somebody reads who forgives everything.

    ``chunks_first`` says which of two framings counts.
    """
    found: list[Request] = []
    while raw := raw.lstrip(b"\r\n \t\x00"):
        end = HEAD_END.search(raw)
        head = raw[: end.start()] if end else raw
        start, *lines = LINE_END.split(FOLD.sub(b" ", head))
        method, _, rest = start.partition(b" ")
        fields = tuple(_field(line) for line in lines)
        if end is None:
            return [*found, Request(method, rest.partition(b" ")[0], fields, b"", (), False)]
        body, after, complete = _forgiven_body(raw[end.end() :], fields, chunks_first=chunks_first)
        target = rest.partition(b" ")[0]
        found.append(Request(method, target, fields, body, (), complete))
        if not complete:
            break
        raw = after
    return found


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower().replace(b"_", b"-"), value.strip()


def _forgiven_body(
    raw: bytes, fields: tuple[tuple[bytes, bytes], ...], *, chunks_first: bool
) -> tuple[bytes, bytes, bool]:
    """The body, what is behind it, and whether it is whole."""
    chunks = any(n == b"transfer-encoding" and b"chunked" in v.lower() for n, v in fields)
    lengths = [
        int(number[1]) for n, v in fields if n == b"content-length" and (number := NUMBER.match(v))
    ]
    if chunks and (chunks_first or not lengths):
        return _forgiven_chunks(raw)
    if not lengths:
        return b"", raw, True
    return raw[: lengths[-1]], raw[lengths[-1] :], len(raw) >= lengths[-1]


def _forgiven_chunks(raw: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while line := SIZE_LINE.match(raw):
        raw, size = raw[line.end() :], int(line[1], 16)
        if not size:
            end = re.match(rb"(?:[^\r\n]+(?:\r\n|\n|\r))*(?:\r\n|\n|\r)", raw)
            return body, raw[end.end() :] if end else b"", bool(end)
        body, raw = body + raw[:size], raw[size:]
    return body, raw, False
