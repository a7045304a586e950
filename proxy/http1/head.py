"""Message heads: from checked bytes to a request or response (RFC 9112 sections 2 to 5).

Every head is judged twice, by our own stricter rules and by llhttp; both must agree
that it is one well-formed head. Knows nothing of sockets, routes or credentials.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import httptools

from proxy.http1.fields import Fields, parse_field
from proxy.http1.refusal import MessageError
from proxy.http1.syntax import is_target, is_token, split_lines

VERSION: Final = re.compile(rb"HTTP/(\d)\.(\d)")
STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: (.*))?", re.DOTALL)
LLHTTP_METHODS: Final = frozenset(
    (b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT", b"TRACE")
)


@dataclass(slots=True)  # not frozen: one is made for every new head, and that costs 2 µs more
class RequestHead:
    """A request's head; ``minor`` is 0 or 1, ``size`` counts its bytes."""

    method: bytes
    target: bytes
    minor: int
    fields: Fields
    size: int


@dataclass(slots=True)  # not frozen: see RequestHead
class ResponseHead:
    """A response's head; ``reason`` keeps its bytes."""

    status: int
    reason: bytes
    minor: int
    fields: Fields


def parse_request(raw: bytes, *, most_target: int, most_fields: int) -> RequestHead:
    """Read a whole request head, empty line included.

    Raises:
        MessageError: with the status that the client gets (400, 414, 431, 505).
    """
    lines = split_lines(raw)
    method, target, minor = _request_line(lines[0], most_target)
    fields = _fields(lines, most_fields)
    second_opinion(raw, method)
    return RequestHead(method, target, minor, fields, len(raw))


def parse_response(raw: bytes, *, most_fields: int) -> ResponseHead:
    """Read a whole response head, empty line included.

    Raises:
        MessageError: the head is not well-formed HTTP/1.0 or HTTP/1.1.
    """
    lines = split_lines(raw)
    match = STATUS_LINE.fullmatch(lines[0])
    if match is None:
        raise MessageError("the upstream's status line is malformed")
    fields = _fields(lines, most_fields)
    _second_opinion_on_response(raw)
    return ResponseHead(int(match[2]), match[3] or b"", int(match[1]), fields)


def _request_line(line: bytes, most_target: int) -> tuple[bytes, bytes, int]:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise MessageError("the request line is not method, target and version")
    method, target, version = parts
    if not is_token(method):
        raise MessageError("the method is not a token")
    if len(target) > most_target:
        raise MessageError(f"the target is longer than {most_target} bytes", 414)
    if not is_target(target):
        raise MessageError("the target holds bytes that must be percent-encoded")
    return method, target, _minor(version)


def _minor(version: bytes) -> int:
    if version == b"HTTP/1.1":
        return 1
    match = VERSION.fullmatch(version)
    if match is None:
        raise MessageError("the version is not HTTP/1.0 or HTTP/1.1")
    if match[1] != b"1" or match[2] not in {b"0", b"1"}:
        raise MessageError("only HTTP/1.0 and HTTP/1.1 are spoken here", 505)
    return int(match[2])


def _fields(lines: list[bytes], most: int) -> Fields:
    if len(lines) - 1 > most:
        raise MessageError(f"more than {most} header lines", 431)
    return Fields([parse_field(line) for line in lines[1:]])


class _Silent:
    """llhttp is asked for its judgement only; what it reads is read here."""


def second_opinion(raw: bytes, method: bytes) -> None:
    """Ask llhttp, which knows few methods, whether this is one well-formed request head.

    Raises:
        MessageError: it is not.
    """
    if method not in LLHTTP_METHODS:
        raw = b"POST" + raw[len(method) :]
    try:
        httptools.HttpRequestParser(_Silent()).feed_data(raw)
    except httptools.HttpParserUpgrade:
        return
    except httptools.HttpParserError:
        raise MessageError("the message head is malformed") from None


def _second_opinion_on_response(raw: bytes) -> None:
    try:
        httptools.HttpResponseParser(_Silent()).feed_data(raw)
    except httptools.HttpParserUpgrade:
        return
    except httptools.HttpParserError:
        raise MessageError("the upstream's message head is malformed") from None
