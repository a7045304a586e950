"""Request bodies on their way up: counted, chunked, announced, early, refused."""

from __future__ import annotations

import pytest

from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("size", [0, 1, 1000, 70_000, 3_000_000])
async def test_a_counted_body_arrives_whole_with_its_length(upstream: Origin, size: int) -> None:
    body = bytes(i % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % size, body)
        wire, request = await upstream.request()
        assert request.head.one(b"content-length") == b"%d" % size
        assert request.head.one(b"transfer-encoding") is None
        assert request.body == body
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        assert (await served.record()).bytes_in == size


async def test_a_length_keeps_its_spelling_and_place(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(POST, b"A: 1\r\ncontent-LENGTH:  002 \r\nB: 2\r\n\r\nab")
        _, request = await upstream.request()
        assert request.head.lines[1:4] == (b"A: 1", b"content-LENGTH:  002 ", b"B: 2")


async def test_chunks_pass_without_extensions_and_with_trailers(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(
            POST,
            b"Transfer-Encoding: chunked\r\n\r\n",
            b'3;name=value;q="a;b"\r\nabc\r\n00004 ; x\r\ndefg\r\n0;last\r\nX-Sum: 1\r\n\r\n',
        )
        wire = await upstream.accept()
        head = await wire.head()
        assert head.all(b"transfer-encoding") == [b"chunked"]
        assert head.one(b"content-length") is None
        sent = await wire.until(b"0\r\nX-Sum: 1\r\n\r\n")
        assert sent == b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n"
        wire.send(OK)


TRAILERS = [
    b"Content-Length: 9",
    b"Transfer-Encoding: chunked",
    b"Host: evil",
    b"Authorization: Bearer mine",
    b"authorization: Bearer mine",
    b"Cookie: a=1",
    b"X-Forwarded-For: 1.2.3.4",
    b"X_Forwarded_For: 1.2.3.4",
    b"X-Token-Sidecar-Key: k",
    b"Connection: close",
    b"Proxy-Authorization: x",
    b"X-Nominated: 1",
    b"Trailer: x",
]


@pytest.mark.parametrize("line", TRAILERS)
async def test_a_trailer_that_may_not_be_one_is_dropped(upstream: Origin, line: bytes) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(
            POST,
            b"Transfer-Encoding: chunked\r\nConnection: x-nominated\r\n\r\n",
            b"1\r\na\r\n0\r\nX-A: 1\r\n" + line + b"\r\nX-B: 2\r\n\r\n",
        )
        _, request = await upstream.request()
        assert request.trailers == (b"X-A: 1", b"X-B: 2")


async def test_an_injected_field_can_not_come_back_as_a_trailer(upstream: Origin) -> None:
    route = route_to(upstream.port, header="X-Api-Key", scheme="")
    async with serving(route) as served:
        await served.ask(
            POST,
            b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Api-Key: mine\r\nx_api_key: mine\r\n\r\n",
        )
        _, request = await upstream.request()
        assert request.trailers == ()


async def test_a_body_is_passed_on_as_it_comes(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Transfer-Encoding: chunked\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        for piece in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert await wire.chunk() == piece
        client.send(b"0\r\n\r\n")
        assert await wire.chunk() == b""
        assert await wire.trailers() == ()
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_counted_body_in_small_pieces_arrives_piece_by_piece(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: 6\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        for piece in (b"ab", b"cd", b"ef"):
            client.send(piece)
            assert await wire.exactly(2) == piece
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_expect_travels_up_and_the_100_back_before_the_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        assert (await wire.head()).one(b"expect") == b"100-continue"
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        assert await wire.exactly(3) == b"abc"
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_client_that_expects_may_be_refused_without_sending_its_body(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        wire.send(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
        answer = await client.response()
        assert answer.status == 417
        # whether the body still comes is the client's choice: the connection can't go on
        assert answer.head.one(b"connection") == b"close"
        assert await client.rest() == b""
        assert await wire.gone() == b""


async def test_103_is_passed_on_before_the_answer(upstream: Origin) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(hints, hints)
        assert await client.until(b"\r\n\r\n") == hints
        assert await client.until(b"\r\n\r\n") == hints
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_1xx_is_kept_from_a_client_of_http_1_0(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.0\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n", OK)
        assert (await client.response()).status == 200


async def test_an_early_answer_passes_while_the_body_still_comes(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: 6\r\n\r\nabc")
        wire = await upstream.accept()
        await wire.head()
        assert await wire.exactly(3) == b"abc"
        wire.send(b"HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno")
        answer = await client.response()
        assert (answer.status, answer.body) == (413, b"no")
        await wire.gone()  # half a request stands on it: never used again
        client.send(b"def" + b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, request = await upstream.request()
        assert request.head.target == b"/next"
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_an_answer_that_streams_while_the_body_still_comes_takes_both(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Transfer-Encoding: chunked\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await client.head()).status == 200
        for piece in (b"a", b"bb", b"ccc"):
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert await wire.chunk() == piece
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert await client.chunk() == piece
        client.send(b"0\r\n\r\n")
        assert await wire.chunk() == b""
        assert await wire.trailers() == ()
        wire.send(b"0\r\n\r\n")
        assert await client.chunk() == b""


async def test_a_broken_chunk_is_answered_400_and_cuts_the_upstream(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        wire = await upstream.accept()
        await wire.head()
        assert await wire.chunk() == b"abc"
        client.send(b"nonsense\r\n")
        answer = await client.response()
        assert answer.status == 400
        assert answer.head.one(b"connection") == b"close"
        assert b"0\r\n" not in await wire.gone()


async def test_a_body_in_the_first_bytes_that_is_broken_opens_no_upstream(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        assert (await client.response()).status == 400
        assert upstream.accepted == 0


async def test_a_client_need_not_wait_for_the_100_it_expects(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
        wire, request = await upstream.request()
        assert request.body == b"abc"
        wire.send(OK)
        answer = await client.response()
        assert answer.body == b"ok"
        assert answer.head.one(b"connection") is None


async def test_a_chunked_body_that_outgrows_the_routes_bound_is_a_413(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, max_body=10)) as served:
        client = await served.ask(POST, b"Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n")
        wire = await upstream.accept()
        await wire.head()
        assert await wire.chunk() == b"abcdef"
        client.send(b"6\r\nghijkl\r\n0\r\n\r\n")
        answer = await client.response()
        assert answer.status == 413
        assert answer.head.one(b"connection") == b"close"
        assert await wire.gone() == b""  # no last chunk


async def test_a_chunked_body_beyond_the_bound_in_its_first_bytes_is_a_413(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, max_body=3)) as served:
        client = await served.ask(
            POST, b"Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n"
        )
        assert (await client.response()).status == 413


async def test_a_body_of_exactly_the_bound_passes(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, max_body=3)) as served:
        client = await served.ask(POST, b"Content-Length: 3\r\n\r\nabc")
        wire, request = await upstream.request()
        assert request.body == b"abc"
        wire.send(OK)
        assert (await client.response()).status == 200
