"""Routes that exchange the caller's own token: whose token goes up, and who is told what."""

from __future__ import annotations

import json

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.secret import Secret
from tests.support.plane import Served, route_to, serving
from tests.support.provider import refused
from tests.support.refused import NO, token
from tests.support.wire import OK, Message, Origin, Wire

KEY = b"X-Token-Sidecar-Key: n0te"
CLIENTS = {"notebook": Secret("n0te")}
NO_TOKEN = {
    "none": b"X-A: 1",
    "an empty one": b"Authorization:",
    "a scheme alone": b"Authorization: Bearer",
    "nothing behind it": b"Authorization: Bearer   ",
    "another scheme": b"Authorization: Basic YTpi",
    "no scheme": b"Authorization: eyJh",
    "two words": b"Authorization: Bearer a b",
    "two of them": b"Authorization: Bearer a\r\nAuthorization: Bearer a",
    "no ASCII": b"Authorization: Bearer \xc3\xa9",
}


def get(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET / HTTP/1.1", b"Host: localhost", *lines]) + b"\r\n\r\n"


def as_caller(bearer: bytes, *lines: bytes) -> bytes:
    return get(b"Authorization: Bearer " + bearer, *lines)


async def problem(client: Wire) -> tuple[int, str]:
    answer = await client.response()
    assert answer.head.one(b"content-type") == b"application/problem+json"
    assert answer.head.one(b"www-authenticate") is None
    return answer.status, json.loads(answer.body)["detail"]


class Exchanging:
    """Clients on one connection each, and an upstream connection that is used again."""

    def __init__(self, served: Served, upstream: Origin) -> None:
        self._served = served
        self._upstream = upstream
        self._wire: Wire | None = None
        self._client: Wire | None = None

    async def ask(self, request: bytes) -> Message:
        """What the upstream got; it says OK."""
        self._client = self._client or await self._served.connect()
        self._client.send(request)
        self._wire = self._wire or await self._upstream.accept()
        got = await self._wire.request()
        self._wire.send(OK)
        assert (await self._client.response()).body == b"ok"
        return got


async def test_each_caller_goes_up_with_the_token_made_from_theirs(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        here = Exchanging(served, upstream)
        for _ in range(3):
            for bearer in (b"ann", b"bob"):
                got = await here.ask(as_caller(bearer))
                assert got.head.all(b"authorization") == [b"Bearer for-" + bearer + b"-1"]
        assert served.exchange.asked == ["ann", "bob"]


async def test_heads_alike_but_for_the_bearer_are_never_taken_for_each_other(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        here = Exchanging(served, upstream)
        for turn in range(4):
            for bearer in (b"ann", b"bob", b"ann "[:3] + b"a"):
                got = await here.ask(as_caller(bearer, b"X-Request-Id: %d" % turn, b"X-B: 1"))
                assert token(got) == b"for-" + bearer + b"-1"
                assert got.head.one(b"x-request-id") == b"%d" % turn


@pytest.mark.parametrize(
    "line",
    [b"authorization: bearer ann", b"AUTHORIZATION:BEARER   ann", b"Authorization: Bearer ann "],
)
async def test_scheme_and_field_are_taken_in_any_spelling(upstream: Origin, line: bytes) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        assert token(await Exchanging(served, upstream).ask(get(line))) == b"for-ann-1"


async def test_another_field_and_scheme_carry_it_where_the_route_says_so(upstream: Origin) -> None:
    route = route_to(upstream.port, header="X-Auth", scheme="")
    async with serving(route, by_caller=True) as served:
        got = await Exchanging(served, upstream).ask(as_caller(b"ann", b"X-Auth: mine"))
        assert got.head.all(b"x-auth") == [b"for-ann-1"]
        assert got.head.all(b"authorization") == []


@pytest.mark.parametrize("line", NO_TOKEN.values(), ids=NO_TOKEN)
async def test_without_a_token_of_their_own_callers_are_told_what_to_send(
    upstream: Origin, line: bytes
) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        client = await served.connect()
        for _ in range(2):
            client.send(get(line))
            status, detail = await problem(client)
            assert status == 403
            assert "Authorization: Bearer TOKEN" in detail
        assert served.exchange.asked == []
        assert upstream.accepted == 0


async def test_a_client_key_comes_in_its_own_field(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), by_caller=True, clients=CLIENTS) as served:
        got = await Exchanging(served, upstream).ask(as_caller(b"ann", KEY))
        assert token(got) == b"for-ann-1"
        assert got.head.all(b"x-token-sidecar-key") == []
        assert (await served.record()).client == "notebook"
        client = await served.ask(as_caller(b"ann"))
        status, detail = await problem(client)
        assert (status, "X-Token-Sidecar-Key" in detail) == (403, True)


@pytest.mark.parametrize("lines", [(), (KEY,), (b"Authorization: Bearer ann",)])
async def test_a_client_key_in_place_of_the_token_is_never_exchanged(
    upstream: Origin, lines: tuple[bytes, ...]
) -> None:
    async with serving(route_to(upstream.port), by_caller=True, clients=CLIENTS) as served:
        client = await served.ask(as_caller(b"n0te", *lines))
        status, detail = await problem(client)
        assert (status, "X-Token-Sidecar-Key" in detail) == (403, True)
        assert served.exchange.asked == []


async def test_a_callers_refusal_is_a_502_with_the_providers_error_and_nobody_elses(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        served.exchange.answers["mallory"] = [refused("invalid_grant")]
        here, other = Exchanging(served, upstream), await served.connect()
        for _ in range(3):
            other.send(as_caller(b"mallory"))
            status, detail = await problem(other)
            assert status == 502
            assert "invalid_grant" in detail
            assert "mallory" not in detail
            assert token(await here.ask(as_caller(b"ann"))) == b"for-ann-1"
        assert served.exchange.asked.count("mallory") == 1


async def test_an_outage_is_a_503_for_whoever_is_new_and_nothing_to_the_others(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), by_caller=True, hold=0.0) as served:
        served.exchange.answers["bob"] = [
            TokenRequestError(
                "wait", failure=Failure.RETRY_AFTER, reason="http_503", retry_after=60
            )
        ] * 2
        here, other = Exchanging(served, upstream), await served.connect()
        for _ in range(2):
            other.send(as_caller(b"bob"))
            assert (await problem(other))[0] == 503
        assert served.exchange.asked == ["bob"]
        del here


async def test_a_401_brings_that_caller_a_new_token_and_no_other(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        here = Exchanging(served, upstream)
        await here.ask(as_caller(b"ann"))
        await here.ask(as_caller(b"bob"))
        client = await served.ask(as_caller(b"ann"))
        assert here._wire is not None
        assert token(await here._wire.request()) == b"for-ann-1"
        here._wire.send(NO)
        again, second = await upstream.request()
        assert token(second) == b"for-ann-2"
        again.send(OK)
        assert (await client.response()).body == b"ok"
        client.send(as_caller(b"bob"))
        assert token(await again.request()) == b"for-bob-1"
        assert served.exchange.asked == ["ann", "bob", "ann"]


async def test_a_caller_who_was_forgotten_is_exchanged_for_anew(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        here = Exchanging(served, upstream)
        assert token(await here.ask(as_caller(b"ann"))) == b"for-ann-1"
        served.clock.move(3600)
        here = Exchanging(served, upstream)  # idle connections have gone too
        assert served.callers["token"].status().callers == 0
        assert token(await here.ask(as_caller(b"ann"))) == b"for-ann-2"


async def test_neither_records_nor_problems_hold_a_bearer(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), by_caller=True) as served:
        here = Exchanging(served, upstream)
        await here.ask(as_caller(b"canary-71"))
        record = await served.record()
        assert (record.credential, record.generation) == ("token", 1)
        door = next(iter(served.plane._doors.values()))
        shown = repr([record, door.prepare(as_caller(b"canary-71"))[0]])
        assert "canary" not in shown
