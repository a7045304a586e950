"""Response bodies on their way down: counted, chunked, without length, none, event by event."""

from __future__ import annotations

import pytest

from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin, noise

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000, 3_000_000])
async def test_a_counted_body_arrives_whole(upstream: Origin, size: int) -> None:
    body = noise(size)
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, body)
        assert (await client.response()).body == body
        assert (await served.record()).bytes_out == size


async def test_chunks_pass_without_extensions_and_with_trailers(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3;a=b\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 1\r\n\r\n",
        )
        head = await client.head()
        assert head.all(b"transfer-encoding") == [b"chunked"]
        assert head.one(b"trailer") == b"X-Sum"
        assert await client.until(b"\r\n\r\n") == (b"3\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 1\r\n\r\n")


async def test_chunks_are_undone_for_a_client_of_http_1_0(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(OLD)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n")
        answer = await client.response()
        assert answer.body == b"abc"
        assert answer.head.one(b"transfer-encoding") is None
        assert answer.head.one(b"connection") == b"close"


async def test_a_body_without_length_goes_in_chunks_to_http_1_1(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        assert (await client.head()).one(b"transfer-encoding") == b"chunked"
        assert await client.chunk() == b"abc"
        wire.send(b"def")
        assert await client.chunk() == b"def"
        wire.close()
        assert await client.chunk() == b""
        assert await client.trailers() == ()
        client.send(GET)  # and the connection goes on
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_body_without_length_ends_with_the_connection_for_http_1_0(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: x/y\r\n\r\nabc")
        wire.close()
        head, body = (await client.rest()).split(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head
        assert head.endswith(b"Connection: close")
        assert body == b"abc"


async def test_an_empty_body_without_length_is_an_empty_chunked_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
        wire.close()
        assert (await client.response()).body == b""


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked\r\n", b""])
async def test_server_sent_events_arrive_one_by_one(upstream: Origin, framing: bytes) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n", framing, b"\r\n")
        assert (await client.head()).one(b"content-type") == b"text/event-stream"
        for number in range(20):
            event = b"data: %d\n\n" % number
            wire.send(b"%x\r\n%b\r\n" % (len(event), event) if framing else event)
            assert await client.chunk() == event  # before the next is sent


BODYLESS = [
    (b"HEAD", b"200 OK", b"Content-Length: 5\r\n"),
    (b"HEAD", b"200 OK", b"Transfer-Encoding: chunked\r\n"),
    (b"HEAD", b"200 OK", b""),
    (b"GET", b"204 No Content", b""),
    (b"GET", b"304 Not Modified", b"Content-Length: 5\r\nETag: x\r\n"),
    (b"GET", b"304 Not Modified", b""),
]


@pytest.mark.parametrize(("method", "status", "fields"), BODYLESS)
async def test_what_has_no_body_is_over_with_its_head(
    upstream: Origin, method: bytes, status: bytes, fields: bytes
) -> None:
    request = method + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(request)
        wire = await upstream.accept()
        for _ in range(2):  # over the same connections
            await wire.head()
            wire.send(b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n")
            answer = await client.response(to_head=True)
            assert answer.head.start == b"HTTP/1.1 " + status
            assert [*answer.head.lines] == fields.split(b"\r\n")[:-1]
            client.send(request)
        assert upstream.accepted == 1


async def test_a_head_and_a_get_with_equal_answers_are_not_taken_for_each_other(
    upstream: Origin,
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"")
        wire = None
        for method, body in ((b"HEAD", b""), (b"GET", b"ok"), (b"HEAD", b""), (b"GET", b"ok")):
            client.send(method + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wire = wire or await upstream.accept()
            await wire.head()
            wire.send(answer + body)
            assert (await client.response(to_head=not body)).body == body


@pytest.mark.parametrize("behind", [b"", b"0\r\n\r\n"])
async def test_a_204_never_names_a_transfer_coding(upstream: Origin, behind: bytes) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", behind)
        assert (await client.response()).head.one(b"transfer-encoding") is None
        client.send(GET)
        wire, _ = (wire, await wire.request()) if not behind else await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"
