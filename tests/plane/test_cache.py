"""Heads seen before: equal bytes share a result, nearly equal ones never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.plane.cache import MOST_HEAD_BYTES, MOST_HEADS, HeadCache, cut_length
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def test_what_was_put_is_found_and_nothing_else() -> None:
    cache: HeadCache[int] = HeadCache()
    cache.put(b"a", 1)
    assert cache.get(b"a") == 1
    assert cache.get(b"A") is None


def test_it_never_holds_more_than_two_generations() -> None:
    cache: HeadCache[int] = HeadCache()
    for number in range(5 * MOST_HEADS):
        cache.put(b"%d" % number, number)
        assert len(cache._young) + len(cache._old) <= 2 * MOST_HEADS
    assert cache.get(b"0") is None
    assert cache.get(b"%d" % (5 * MOST_HEADS - 1)) is not None


def test_what_is_used_survives_what_is_not() -> None:
    cache: HeadCache[int] = HeadCache()
    cache.put(b"kept", 1)
    for number in range(5 * MOST_HEADS):
        cache.put(b"%d" % number, number)
        assert cache.get(b"kept") == 1


def test_a_long_head_is_not_remembered() -> None:
    cache: HeadCache[int] = HeadCache()
    cache.put(b"x" * (MOST_HEAD_BYTES + 1), 1)
    assert cache.get(b"x" * (MOST_HEAD_BYTES + 1)) is None


def head(length_line: bytes) -> bytes:
    return POST + length_line + b"X: y\r\n\r\n"


def test_heads_that_differ_in_their_length_alone_share_a_key() -> None:
    one, other = (cut_length(head(b"Content-Length: %d\r\n" % size)) for size in (5, 123456))
    assert one[0] == other[0]
    assert (one[1], other[1]) == (b"5", b"123456")


ODD = [
    b"", b"Content-Length: \r\n", b"Content-Length:\r\n", b"Content-Length: +5\r\n",
    b"Content-Length: 5 \r\n", b"Content-Length:  5\r\n", b"content-length: 5\r\n",
    b"Content-Length: 5, 5\r\n", b"Content-Length: " + b"5" * 19 + b"\r\n",
    b"X-Content-Length: 5\r\n", b"Content-Length: \xb2\r\n",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_a_head_whose_length_is_spelled_otherwise_keeps_its_own_key(odd: bytes) -> None:
    usual, _ = cut_length(head(b"Content-Length: 5\r\n"))
    key, digits = cut_length(head(odd))
    assert digits == b""
    assert key != usual


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_only_the_digits_may_differ_between_heads_with_one_key(one: bytes, other: bytes) -> None:
    one, other = (
        POST + b"Content-Length: " + part.replace(b"\n", b"") + b"\r\n\r\n" for part in (one, other)
    )
    (first, digits), (second, others) = cut_length(one), cut_length(other)
    if first == second:
        assert one == other or (digits.isdigit() and others.isdigit())


async def test_equal_heads_with_other_lengths_get_their_own(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await served.ask(b""), None
        for body in (b"a", b"bbbbbbbbbbbb", b"", b"cc"):
            client.send(POST, b"Content-Length: %d\r\n\r\n" % len(body), body)
            wire = wire or await upstream.accept()
            request = await wire.request()
            assert request.body == body
            assert request.head.one(b"content-length") == b"%d" % len(body)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)
            assert (await client.response()).body == body


@pytest.mark.parametrize("odd", [b"Content-Length: ", b"Content-Length:", b"Content-Length: -1"])
async def test_a_broken_length_is_not_taken_for_a_remembered_one(
    upstream: Origin, odd: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: 3\r\n\r\nabc")
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        client.send(POST, odd, b"\r\n\r\nabc")
        assert (await client.response()).status == 400


async def test_a_broken_length_of_an_answer_is_not_taken_for_a_remembered_one(
    upstream: Origin,
) -> None:
    get = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(get)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        client.send(get)
        await wire.request()
        wire.send(OK.replace(b"Content-Length: 2", b"Content-Length: "))
        assert (await client.response()).status == 502


async def test_a_length_over_the_routes_bound_is_refused_though_its_head_is_remembered(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, max_body=10)) as served:
        client = await served.ask(POST, b"Content-Length: 3\r\n\r\nabc")
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        client.send(POST, b"Content-Length: 11\r\n\r\n")
        assert (await client.response()).status == 413


async def test_more_heads_than_are_remembered_are_all_served(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await served.ask(b""), None
        for number in [*range(2 * MOST_HEADS + 50), 0]:
            client.send(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
            wire = wire or await upstream.accept()
            assert (await wire.head()).target == b"/%d" % number
            wire.send(OK)
            await client.response()
