"""An upstream that says 401 once, and what a request is authorized with."""

from __future__ import annotations

from tests.support.wire import Message, Origin, Wire

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /p?q HTTP/1.1\r\nHost: localhost\r\n"
NO = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 4\r\n\r\nno 1"
NO_AGAIN = NO.replace(b"no 1", b"no 2")


def token(request: Message) -> bytes:
    assert request.head.one(b"authorization") is not None
    return request.head.all(b"authorization")[0].removeprefix(b"Bearer ")


async def refused_once(upstream: Origin, first: bytes = NO) -> tuple[Wire, Message, Message]:
    """Say 401 to the first request and wait for the second, on whatever connection."""
    wire, request = await upstream.request()
    wire.send(first)
    again, repeated = await upstream.request()
    return again, request, repeated
