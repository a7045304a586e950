"""An upstream's 401: what is sent again with a new token, and what passes through."""

from __future__ import annotations

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.plane.settings import Limits
from tests.support.plane import round_trips, route_to, serving
from tests.support.wire import OK, Message, Origin, Wire, until

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


async def test_a_second_401_passes_through(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _, _ = await refused_once(upstream)
        wire.send(NO_AGAIN)
        answer = await client.response()
        assert (answer.status, answer.body) == (401, b"no 2")
        assert answer.head.one(b"www-authenticate") == b"Bearer"
        assert served.source.asked == 2


async def test_a_second_401_passes_through_however_late_it_comes(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _, _ = await refused_once(upstream)
        served.clock.move(60)  # a new 401 would be worth a new token by now
        wire.send(NO_AGAIN)
        assert (await client.response()).body == b"no 2"
        assert upstream.accepted == 2


async def test_a_403_is_never_replayed(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(NO.replace(b"401", b"403"))
        assert (await client.response()).status == 403
        assert served.source.asked == 1


async def test_without_a_credential_a_401_passes_through(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, credential=None)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(NO)
        assert (await client.response()).body == b"no 1"


@pytest.mark.parametrize(
    ("replay_body", "budget", "size"), [(10, 1000, 11), (1000, 10, 11), (0, 1000, 1)]
)
async def test_a_body_too_large_to_keep_lets_the_401_pass_and_the_next_has_a_new_token(
    upstream: Origin, replay_body: int, budget: int, size: int
) -> None:
    route = route_to(upstream.port, replay_body=replay_body)
    async with serving(route, limits=Limits(replay_budget=budget)) as served:
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % size, b"x" * size)
        wire, _ = await upstream.request()
        wire.send(NO)
        assert (await client.response()).body == b"no 1"
        client.send(GET)
        assert token(await wire.request()) == b"token-2"


async def test_a_body_of_exactly_the_kept_size_is_replayed(upstream: Origin) -> None:
    route = route_to(upstream.port, replay_body=11)
    async with serving(route, limits=Limits(replay_budget=11)) as served:
        client = await served.ask(POST, b"Content-Length: 11\r\n\r\n", b"x" * 11)
        wire, _, second = await refused_once(upstream)
        assert second.body == b"x" * 11
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_body_that_outgrows_what_is_kept_while_the_token_is_fetched_gets_its_401(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, replay_body=5)) as served:
        served.source.gate.clear()
        client = await served.ask(POST, b"Content-Length: 8\r\n\r\nabc")
        wire = await upstream.accept()
        await wire.head()
        await wire.exactly(3)
        wire.send(NO[:-2])
        await until(lambda: served.source.asked == 2)
        client.send(b"defgh")
        await round_trips(served)
        wire.send(NO[-2:])
        served.source.gate.set()
        answer = await client.response()
        assert (answer.status, answer.body) == (401, b"no 1")
        assert upstream.accepted == 1
        assert await wire.gone() == b""  # half a request stands on it: it is never used again


async def test_an_early_401_that_passes_sends_nothing_more_of_the_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        served.source.errors = [
            TokenRequestError("no", failure=Failure.TRANSIENT, reason="network")
        ]
        client = await served.ask(POST, b"Content-Length: 6\r\n\r\nabc")
        wire = await upstream.accept()
        await wire.head()
        assert await wire.exactly(3) == b"abc"
        wire.send(NO.replace(b"Content-Length: 4\r\n\r\nno 1", b"Content-Length: 8\r\n\r\nno 1"))
        assert (await client.head()).status == 401
        client.send(b"def")
        await round_trips(served)
        wire.send(b"more")
        assert await client.exactly(8) == b"no 1more"
        assert await wire.gone() == b""


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


async def test_a_storm_of_401s_costs_one_token(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        clients = [await served.ask(GET) for _ in range(20)]
        wires = [(await upstream.request())[0] for _ in clients]
        for wire in wires:
            wire.send(NO)
        for _ in clients:
            again, second = await upstream.request()
            assert token(second) == b"token-2"
            again.send(OK)
        for client in clients:
            assert (await client.response()).body == b"ok"
        assert served.source.asked == 2


async def test_soon_after_a_renewal_that_a_401_caused_the_next_401_passes(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _, _ = await refused_once(upstream)
        wire.send(OK)
        await client.response()
        client.send(GET)
        await wire.request()
        wire.send(NO)
        assert (await client.response()).status == 401
        assert served.source.asked == 2


async def test_when_no_new_token_comes_the_401_passes_whole(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        served.source.errors = [
            TokenRequestError("no", failure=Failure.TRANSIENT, reason="network")
        ]
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(NO[:-2])
        await until(lambda: served.source.asked == 2)
        wire.send(NO[-2:])
        answer = await client.response()
        assert (answer.status, answer.body) == (401, b"no 1")
        client.send(GET)  # the rejected token is not sent again


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
