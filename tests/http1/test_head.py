"""Message heads: what is read, what is refused with which status, and that llhttp agrees."""

from __future__ import annotations

from contextlib import suppress

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.framing import Kind, of_request, of_response
from proxy.http1.head import RequestHead, ResponseHead, parse_request, parse_response
from proxy.http1.refusal import MessageError

END = b"\r\n\r\n"


def request(raw: bytes, *, target: int = 200, fields: int = 10) -> RequestHead:
    return parse_request(raw, most_target=target, most_fields=fields)


def response(raw: bytes, *, fields: int = 10) -> ResponseHead:
    return parse_response(raw, most_fields=fields)


def test_a_request_head_is_taken_apart_and_keeps_its_bytes() -> None:
    raw = b"PoST /x?y HTTP/1.0\r\nhOst: h\r\nA:  b \r\nA:\r\n\r\n"
    head = request(raw)
    assert (head.method, head.target, head.minor, head.size) == (b"PoST", b"/x?y", 0, len(raw))
    assert [field.line for field in head.fields] == [b"hOst: h", b"A:  b ", b"A:"]


def test_a_head_without_fields_is_a_head() -> None:
    assert request(b"GET / HTTP/1.1\r\n\r\n").fields == ()
    assert response(b"HTTP/1.1 200 OK\r\n\r\n").fields == ()


BAD_REQUESTS = [
    (b"GET / HTTP/1.1 " + END, 400),
    (b" GET / HTTP/1.1" + END, 400),
    (b"GET  / HTTP/1.1" + END, 400),
    (b"GET /  HTTP/1.1" + END, 400),
    (b"GET\t/ HTTP/1.1" + END, 400),
    (b"GET /" + END, 400),
    (b"GET" + END, 400),
    (END, 400),
    (b"G(T / HTTP/1.1" + END, 400),
    (b"GET /a b HTTP/1.1" + END, 400),
    (b"GET /\xe9 HTTP/1.1" + END, 400),
    (b"GET /\x7f HTTP/1.1" + END, 400),
    (b"GET /\x00 HTTP/1.1" + END, 400),
    (b"GET / http/1.1" + END, 400),
    (b"GET / HTTP/1.1x" + END, 400),
    (b"GET / HTTP/11" + END, 400),
    (b"GET / HTTP/1" + END, 400),
    (b"GET / HTTP/1.10" + END, 400),
    (b"GET / ICY/1.1" + END, 400),
    (b"GET / HTTP/1.2" + END, 505),
    (b"GET / HTTP/0.9" + END, 505),
    (b"GET / HTTP/2.0" + END, 505),
    (b"GET / HTTP/9.9" + END, 505),
    (b"GET /" + b"x" * 200 + b" HTTP/1.1" + END, 414),
    (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * 11 + b"\r\n", 431),
    (b"GET / HTTP/1.1\nA: 1" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\nB: 2" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\rB: 2" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\r\r\n" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\x00" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\x0b" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\x7f" + END, 400),
    (b"GET / HTTP/1.1\r\n A: 1" + END, 400),
    (b"GET / HTTP/1.1\r\nA: 1\r\n\tfolded" + END, 400),
    (b"GET / HTTP/1.1\r\nA : 1" + END, 400),
    (b"GET / HTTP/1.1\r\nA" + END, 400),
    (b"GET / HTTP/1.1\r\n: 1" + END, 400),
    (b"GET / HTTP/1.1\r\nA\x00b: 1" + END, 400),
    (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length : 1" + END, 400),
]


@pytest.mark.parametrize(("raw", "status"), BAD_REQUESTS)
def test_a_broken_request_head_is_refused_with_its_status(raw: bytes, status: int) -> None:
    with pytest.raises(MessageError) as refused:
        request(raw)
    assert refused.value.status == status


def test_a_target_and_fields_of_exactly_the_limit_pass() -> None:
    request(b"GET /" + b"x" * 199 + b" HTTP/1.1\r\n" + b"A: 1\r\n" * 10 + b"\r\n")


@pytest.mark.parametrize(
    "method", [b"GET", b"PURGE", b"M-SEARCH", b"get", b"X", b"!#$%&'*+-.^_`|~"]
)
def test_any_token_is_a_method(method: bytes) -> None:
    assert request(method + b" / HTTP/1.1" + END).method == method


BAD_RESPONSES = [
    END,
    b"HTTP/1.1" + END,
    b"HTTP/1.1 " + END,
    b"HTTP/1.1 20" + END,
    b"HTTP/1.1 2000 OK" + END,
    b"HTTP/1.1 099 OK" + END,
    b"HTTP/1.1  200 OK" + END,
    b"HTTP/1.2 200 OK" + END,
    b"HTTP/2 200 OK" + END,
    b"http/1.1 200 OK" + END,
    b"HTTP/1.1 200\tOK" + END,
    b"HTTP/1.1 200 O\x00K" + END,
    b"HTTP/1.1 200 OK\nA: 1" + END,
    b"HTTP/1.1 200 OK\r\nA" + END,
    b"HTTP/1.1 200 OK\r\nA: 1\r\n b" + END,
    b"HTTP/1.1 200 OK\r\nA : 1" + END,
    b"HTTP/1.1 200 OK\r\nA: \x01" + END,
    b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 11 + b"\r\n",
]


@pytest.mark.parametrize("raw", BAD_RESPONSES)
def test_a_broken_response_head_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError):
        response(raw)


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK"),
        (b"HTTP/1.0 404 Not  Found ", 404, b"Not  Found "),
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.1 599 \xe9t\xe9", 599, b"\xe9t\xe9"),
        (b"HTTP/1.1 999 x", 999, b"x"),
    ],
)
def test_a_status_line_keeps_its_reason(line: bytes, status: int, reason: bytes) -> None:
    head = response(line + END)
    assert (head.status, head.reason) == (status, reason)


@given(st.binary(max_size=120))
@settings(max_examples=300)
def test_arbitrary_bytes_raise_nothing_but_message_error(noise: bytes) -> None:
    for raw in (noise + END, b"GET / HTTP/1.1\r\n" + noise + END, b"GET " + noise + END):
        with suppress(MessageError):
            request(raw)
    for raw in (noise + END, b"HTTP/1.1 200 OK\r\n" + noise + END):
        with suppress(MessageError):
            response(raw)


PIECES = st.lists(
    st.sampled_from(
        [b"A", b":", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\x00", b"1", b",", b"chunked", b"\xff",
         b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
         b"Content-Length:", b"Transfer-Encoding:", b"Upgrade: x\r\n", b"X: y\r\n"]
    ),
    max_size=8,
)  # fmt: skip


class Counter:
    """Where llhttp says that a message ends."""

    def __init__(self) -> None:
        self.body = b""
        self.complete = 0

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete += 1


def body_by_llhttp(parser_type: type, raw: bytes) -> tuple[bytes, int]:
    counter = Counter()
    with suppress(httptools.HttpParserUpgrade):
        parser_type(counter).feed_data(raw)
    return counter.body, counter.complete


CODED = b"3\r\nabc\r\n0\r\n\r\n"
MOST = 10_000
"""A longer body than this says nothing more."""


def counted(size: int) -> bytes:
    """A body of this size; to who reads chunks it is something else."""
    return (CODED * (size // len(CODED) + 1))[:size]


@given(PIECES, st.sampled_from([b"0", b"1"]))
@settings(max_examples=500)
def test_what_is_accepted_llhttp_frames_alike(pieces: list[bytes], minor: bytes) -> None:
    raw = b"POST / HTTP/1." + minor + b"\r\n" + b"".join(pieces)
    raw = raw.removesuffix(b"\r\n") + END
    if END in raw[:-4]:
        return  # two heads: the caller hands over one
    try:
        head = request(raw)
        framing = of_request(head.fields, head.minor)
    except MessageError:
        return
    if framing.length > MOST:
        return
    sent = CODED if framing.kind is Kind.CHUNKED else counted(framing.length)
    body = b"abc" if framing.kind is Kind.CHUNKED else sent
    assert body_by_llhttp(httptools.HttpRequestParser, raw + sent) == (body, 1)


@given(PIECES, st.sampled_from([b"0", b"1"]), st.sampled_from([b"200", b"204", b"304", b"404"]))
@settings(max_examples=500)
def test_an_accepted_response_is_framed_alike_by_llhttp(
    pieces: list[bytes], minor: bytes, status: bytes
) -> None:
    raw = b"HTTP/1." + minor + b" " + status + b" X\r\n" + b"".join(pieces)
    raw = raw.removesuffix(b"\r\n") + END
    if END in raw[:-4]:
        return
    try:
        head = response(raw)
        framing = of_response(head.fields, head.status, head.minor, to_head=False)
    except MessageError:
        return
    if framing.length > MOST:
        return
    sent = {
        Kind.NONE: b"",
        Kind.LENGTH: counted(framing.length),
        Kind.CHUNKED: CODED,
        Kind.CLOSE: b"abc",
    }[framing.kind]
    body, complete = body_by_llhttp(httptools.HttpResponseParser, raw + sent)
    assert body == (b"abc" if framing.kind is Kind.CHUNKED else sent)
    assert complete == (framing.kind is not Kind.CLOSE)
