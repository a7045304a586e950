"""An upstream's 401 that passes through: a second one, a body not kept, no new token, a 403."""

from __future__ import annotations

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.plane.settings import Limits
from tests.support.plane import round_trips, route_to, serving
from tests.support.refused import GET, NO, NO_AGAIN, POST, refused_once, token
from tests.support.wire import OK, Origin, until


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
