"""However the bytes of a message are split on the wire, it is the same message."""

from __future__ import annotations

import pytest

from tests.support.plane import round_trips, route_to, serving
from tests.support.wire import OK, Origin

REQUEST = (
    b"\r\nPOST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;e\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
)
RESPONSE = (
    b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;e\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
)
COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nabc0123456789"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_request_in_small_pieces_is_the_same_request(upstream: Origin, size: int) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"")
        for start in range(0, len(REQUEST), size):
            client.send(REQUEST[start : start + size])
            await round_trips(served, 1)
        wire, request = await upstream.request()
        assert request.head.target == b"/x"
        assert request.body == b"abc0123456789"
        assert request.trailers == (b"X-Sum: 1",)
        wire.send(OK)
        assert (await client.response()).status == 200


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("answer", [RESPONSE, COUNTED])
async def test_a_response_in_small_pieces_is_the_same_response(
    upstream: Origin, answer: bytes, size: int
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        for start in range(0, len(answer), size):
            wire.send(answer[start : start + size])
            await round_trips(served, 1)
        got = await client.response()
        if answer is RESPONSE:
            assert (got.status, got.head.one(b"link")) == (103, b"x")
            got = await client.response()
            assert got.trailers == (b"X-Sum: 1",)
        assert got.body == b"abc0123456789"
        assert (await served.record()).bytes_out == 13
