"""An upstream's 401: what is sent again with a new token, and what goes with it."""

from __future__ import annotations

import pytest

from proxy.plane.settings import Limits
from tests.support.plane import round_trips, route_to, serving
from tests.support.refused import GET, NO, POST, refused_once, token
from tests.support.wire import OK, Message, Origin, until


async def test_a_401_is_answered_with_a_new_token_and_the_client_never_sees_it(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, first, second = await refused_once(upstream)
        assert (token(first), token(second)) == (b"token-1", b"token-2")
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        record = await served.record()
        assert (record.status, record.generation, record.replayed) == (200, 2, True)
        assert served.plane.totals["/"].replays == 1
        client.send(GET)
        assert token(await wire.request()) == b"token-2"


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 6\r\n\r\nabcdef",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 1\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
    ],
)
async def test_a_kept_body_is_sent_again_whole(upstream: Origin, sent: bytes) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, sent)
        wire, first, second = await refused_once(upstream)
        assert second.body == first.body
        assert second.trailers == first.trailers
        assert second.head.start == first.head.start == b"POST /p?q HTTP/1.1"
        assert second.head.lines[:-1] == first.head.lines[:-1]
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_body_that_came_in_pieces_is_sent_again_whole(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: 9\r\n\r\nabc")
        wire = await upstream.accept()
        await wire.head()
        for piece in (b"def", b"ghi"):
            assert await wire.exactly(3)
            client.send(piece)
        assert await wire.exactly(3) == b"ghi"
        wire.send(NO)
        wire, second = await upstream.request()
        assert second.body == b"abcdefghi"
        wire.send(OK)
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_early_401_replays_what_came_and_what_still_comes(
    upstream: Origin, chunked: bool
) -> None:
    pieces = [b"3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n"] if chunked else [b"abc", b"def"]
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 6"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, framing, b"\r\n\r\n", pieces[0])
        wire = await upstream.accept()
        await wire.head()
        await wire.exactly(len(pieces[0]))
        wire.send(NO)
        again = await upstream.accept()
        assert token(Message(await again.head(), b"")) == b"token-2"
        assert await again.exactly(len(pieces[0])) == pieces[0]
        client.send(pieces[1])
        assert await again.exactly(len(pieces[1])) == pieces[1]
        again.send(OK)
        assert (await client.response()).body == b"ok"


async def test_what_comes_while_the_new_token_is_fetched_is_not_lost(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        served.source.gate.clear()
        client = await served.ask(POST, b"Content-Length: 6\r\n\r\nabc")
        wire = await upstream.accept()
        await wire.head()
        await wire.exactly(3)
        wire.send(NO)
        await until(lambda: served.source.asked == 2)
        client.send(b"def")
        await round_trips(served)
        served.source.gate.set()
        again, second = await upstream.request()
        assert second.body == b"abcdef"
        again.send(OK)
        assert (await client.response()).body == b"ok"


async def test_an_expecting_request_is_replayed_before_its_body_came(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        wire.send(NO)
        again = await upstream.accept()
        assert (await again.head()).one(b"expect") == b"100-continue"
        again.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        assert await again.exactly(3) == b"abc"
        again.send(OK)
        assert (await client.response()).body == b"ok"


async def test_after_a_100_a_401_is_still_replayed(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await client.until(b"\r\n\r\n")
        client.send(b"abc")
        assert await wire.exactly(3) == b"abc"
        wire.send(NO)
        again, second = await upstream.request()
        assert second.body == b"abc"
        again.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_body_of_exactly_the_kept_size_is_replayed(upstream: Origin) -> None:
    route = route_to(upstream.port, replay_body=11)
    async with serving(route, limits=Limits(replay_budget=11)) as served:
        client = await served.ask(POST, b"Content-Length: 11\r\n\r\n", b"x" * 11)
        wire, _, second = await refused_once(upstream)
        assert second.body == b"x" * 11
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_401_for_an_older_token_is_replayed_with_the_current_one(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        one, other = await served.ask(GET), await served.ask(GET)
        old = [await upstream.request() for _ in range(2)]
        old[0][0].send(NO)
        again, second = await upstream.request()
        assert token(second) == b"token-2"
        again.send(OK)
        old[1][0].send(NO)  # the second request was sent with the first token too
        await again.request()
        again.send(OK)
        for client in (one, other):
            assert (await client.response()).body == b"ok"
        assert served.source.asked == 2


@pytest.mark.parametrize("answer", [NO, NO.replace(b"Content-Length: 4", b"Connection: close")])
async def test_a_401_whose_upstream_is_gone_before_the_new_token_came_is_replayed(
    upstream: Origin, answer: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        served.source.gate.clear()
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(answer)
        await until(lambda: served.source.asked == 2)
        wire.reset()
        await round_trips(served)
        served.source.gate.set()
        again, _ = await upstream.request()
        again.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_streamed_401_that_never_ends_does_not_keep_the_replay_waiting(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        again, _ = await upstream.request()
        again.send(OK)
        assert (await client.response()).body == b"ok"
        await wire.gone()


async def test_a_client_that_leaves_while_the_new_token_is_fetched_is_gone_upstream_too(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        served.source.gate.clear()
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(NO)
        await until(lambda: served.source.asked == 2)
        client.close()
        await wire.gone()
        assert (await served.record()).error == "client_gone"
        served.source.gate.set()
        await until(served.credential.current)  # the renewal was not called off
        assert upstream.accepted == 1


async def test_a_replay_that_can_not_connect_is_a_502(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        assert upstream.server is not None
        upstream.server.close()
        wire.send(NO)
        assert (await client.response()).status == 502


async def test_a_replay_that_breaks_off_is_not_sent_a_third_time(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _, _ = await refused_once(upstream)
        wire.reset()
        assert (await client.response()).status == 502
        assert upstream.accepted == 2
