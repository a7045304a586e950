"""The answer is the upstream's: status, reason, fields in order, bytes; and it is told of."""

from __future__ import annotations

import pytest

from tests.support.forwarded import HOST
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

RESPONSE = (
    b"HTTP/1.1 299 Strange  Word\xe9\r\n"
    b"sErVer: x\r\n"
    b"Set-Cookie: a=1\r\n"
    b"Keep-Alive: timeout=5\r\n"
    b"Connection: keep-alive, X-Hop\r\n"
    b"X-Hop: 1\r\n"
    b"Proxy-Authenticate: Basic\r\n"
    b"Set-Cookie: b=2\r\n"
    b"Location: https://upstream.example/elsewhere\r\n"
    b"X-Forwarded-For: kept\r\n"
    b"Via: 1.1 x\r\n"
    b"Content-Encoding: gzip\r\n"
    b"Content-Length: 3\r\n"
    b"X-Odd:  kept \r\n"
    b"\r\n"
    b"\x1f\x8b\x08"
)


async def test_the_answer_is_the_upstreams_without_its_hop_by_hop_fields(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(RESPONSE)
        assert await client.rest() == (
            b"HTTP/1.1 299 Strange  Word\xe9\r\n"
            b"sErVer: x\r\n"
            b"Set-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\n"
            b"Location: https://upstream.example/elsewhere\r\n"
            b"X-Forwarded-For: kept\r\n"
            b"Via: 1.1 x\r\n"
            b"Content-Encoding: gzip\r\n"
            b"Content-Length: 3\r\n"
            b"X-Odd:  kept \r\n"
            b"Connection: close\r\n"
            b"\r\n"
            b"\x1f\x8b\x08"
        )


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 407, 429, 500, 503, 599, 999])
async def test_any_status_is_passed_on(upstream: Origin, status: int) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 %d\r\nContent-Length: 0\r\n\r\n" % status)
        assert (await client.head()).start == b"HTTP/1.1 %d " % status


async def test_a_finished_exchange_is_told_with_its_sizes_and_no_secret(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            b"PUT /x?secret=1 HTTP/1.1\r\n", HOST, b"Content-Length: 3\r\n\r\nabc"
        )
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        record = await served.record()
        assert (record.method, record.route, record.status) == ("PUT", "/", 200)
        assert (record.bytes_in, record.bytes_out) == (3, 2)
        assert (record.credential, record.generation) == ("token", 1)
        assert (record.error, record.replayed, record.client) == (None, False, None)
        assert "secret" not in repr(record)
        assert "token-1" not in repr(record)
        totals = served.plane.totals["/"]
        assert (totals.requests, totals.bytes_in, totals.bytes_out) == ({200: 1}, 3, 2)
        assert (totals.in_flight, sum(totals.buckets)) == (0, 1)


async def test_connection_can_not_remove_the_framing_of_an_answer(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        wire, _ = await upstream.request()
        wire.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: content-length\r\n\r\n"))
        answer = await client.response()
        assert (answer.head.one(b"content-length"), answer.body) == (b"2", b"ok")
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: content-length\r\ncontent-length:2\r\n\r\nok")
        answer = await client.response()
        assert (answer.head.one(b"content-length"), answer.body) == (b"2", b"ok")
