"""What the sidecar says in its own name: nobody may take it for the upstream's word."""

from __future__ import annotations

import json
import uuid

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.plane.settings import Limits
from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Message, Origin, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def check_problem(answer: Message, status: int, error: str) -> dict[str, object]:
    """The problem document, in which everything agrees with itself."""
    assert answer.status == status
    assert answer.head.one(b"content-type") == b"application/problem+json"
    assert answer.head.one(b"proxy-status") == b"token-sidecar; error=" + error.encode()
    assert answer.head.one(b"cache-control") == b"no-store"
    assert answer.head.one(b"www-authenticate") is None
    problem = json.loads(answer.body)
    assert problem.keys() == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == status
    assert problem["title"].encode() == answer.head.start.split(b" ", 2)[2]
    assert str(problem["instance"]).startswith("urn:uuid:")
    uuid.UUID(str(problem["instance"]).removeprefix("urn:uuid:"))
    return problem


GET_X = b"GET /x HTTP/1.1\r\nHost: localhost\r\n"
POST_X = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
# the error's type, and whether the client's connection can go on
DENIED = ("http_request_denied", True)
UNKNOWN = ("destination_not_found", True)
FORBIDDEN = ("http_request_error", True)
MALFORMED = ("http_request_error", False)

REFUSED = [
    (b"GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, DENIED),
    (GET_X + b"Origin: null\r\n\r\n", 403, DENIED),
    (b"CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, FORBIDDEN),
    (b"TRACE /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, FORBIDDEN),
    (b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, UNKNOWN),
    (b"GET /x/../y HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, MALFORMED),
    (b"GET //x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, MALFORMED),
    (b"GET /x HTTP/1.1\r\n\r\n", 400, MALFORMED),
    (GET_X + b"Host: localhost\r\n\r\n", 400, MALFORMED),
    (b"GET /x HTTP/1.1\nHost: localhost\n\n", 400, MALFORMED),
    (GET_X + b"A: 1\r\n B\r\n\r\n", 400, MALFORMED),
    (b"GET  /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, MALFORMED),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, MALFORMED),
    (b"GET /x HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, MALFORMED),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, MALFORMED),
    (
        POST_X + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        501, MALFORMED,
    ),
    (
        POST_X + b"Transfer-Encoding: chunked\r\n"
        b"Content-Length: 1\r\n\r\n0\r\n\r\n",
        400, MALFORMED,
    ),
    (
        POST_X + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        400, MALFORMED,
    ),
    (POST_X + b"Content-Length: +1\r\n\r\na", 400, MALFORMED),
    (POST_X + b"Content-Length: 11\r\n\r\na", 413, MALFORMED),
    (b"GET /" + b"x" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, MALFORMED),
    (GET_X + b"A: 1\r\n" * 100 + b"\r\n", 431, MALFORMED),
    (GET_X + b"A: " + b"a" * 65536 + b"\r\n\r\n", 431, MALFORMED),
    (GET_X + b"A: " + b"a" * 65536, 431, MALFORMED),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "status", "expected"), REFUSED)
async def test_a_request_that_is_refused_gets_a_problem_and_reaches_no_upstream(
    upstream: Origin, request_: bytes, status: int, expected: tuple[str, bool]
) -> None:
    error, goes_on = expected
    async with serving(route_to(upstream.port, "/x/", max_body=10)) as served:
        client = await served.ask(request_)
        answer = await client.response()
        problem = check_problem(answer, status, error)
        assert (answer.head.one(b"allow") is not None) == (status == 405)
        record = await served.record()
        assert (record.status, record.error, record.instance) == (
            status,
            error,
            problem["instance"],
        )
        if goes_on:
            client.send(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await client.response()).status == 204
        else:
            assert answer.head.one(b"connection") == b"close"
            assert await client.gone() == b""
        assert upstream.accepted == 0


async def test_a_refused_request_with_a_body_closes_after_the_answer(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, "/x/")) as served:
        client = await served.ask(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n",
            b"x" * 2_000_000,
        )
        answer = await client.response()
        check_problem(answer, 404, "destination_not_found")
        assert answer.head.one(b"connection") == b"close"
        assert await client.rest() == b""  # and no reset has eaten the answer


async def test_a_problem_to_a_head_request_has_no_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, "/x/")) as served:
        client = await served.ask(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await client.response(to_head=True)).status == 404
        client.send(b"HEAD / HTTP/1.1\r\nHost: evil\r\n\r\n")
        assert (await client.response(to_head=True)).status == 421


async def test_options_asterisk_is_answered_here(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        answer = await client.response()
        assert answer.status == 204
        assert b"GET" in (answer.head.one(b"allow") or b"")
        assert answer.head.one(b"content-length") is None
        assert await client.rest() == b""
        assert upstream.accepted == 0


async def refused_by_the_provider(served: Served, error: TokenRequestError) -> Message:
    served.source.errors = [error]
    client = await served.ask(GET)
    return await client.response()


async def test_a_token_that_is_not_there_yet_is_a_503_that_says_when_to_come_back(
    upstream: Origin,
) -> None:
    error = TokenRequestError(
        "busy", failure=Failure.RETRY_AFTER, reason="http_429", retry_after=77.0
    )
    async with serving(route_to(upstream.port), filled=False) as served:
        answer = await refused_by_the_provider(served, error)
        check_problem(answer, 503, "proxy_internal_response")
        assert answer.head.one(b"retry-after") == b"77"
        record = await served.record()
        assert (record.credential, record.generation) == ("token", None)
        assert upstream.accepted == 0


async def test_a_credential_that_the_provider_refuses_is_a_502_that_names_it(
    upstream: Origin,
) -> None:
    error = TokenRequestError(
        "the provider answered invalid_client",
        failure=Failure.TERMINAL,
        reason="invalid_client",
        error="invalid_client",
    )
    async with serving(route_to(upstream.port), filled=False) as served:
        answer = await refused_by_the_provider(served, error)
        problem = check_problem(answer, 502, "proxy_configuration_error")
        assert "token" in str(problem["detail"])
        assert "invalid_client" in str(problem["detail"])


async def test_a_request_waits_for_its_token_no_longer_than_hold(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), filled=False, hold=4.0) as served:
        served.source.gate.clear()
        client = await served.ask(GET)
        await until(lambda: served.source.asked)
        served.clock.move(3.9)
        await round_trips(served)
        assert served.records.empty()
        served.clock.move(0.2)
        answer = await client.response()
        check_problem(answer, 503, "proxy_internal_response")
        assert int(answer.head.one(b"retry-after") or 0) >= 1


async def test_a_request_that_waits_is_sent_as_soon_as_the_token_is_there(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), filled=False) as served:
        served.source.gate.clear()
        clients = [await served.ask(GET) for _ in range(10)]
        await until(lambda: served.plane.in_flight == 10)
        served.source.gate.set()
        for _ in clients:
            wire, request = await upstream.request()
            assert request.head.one(b"authorization") == b"Bearer token-1"
            wire.send(OK)
        for client in clients:
            assert (await client.response()).body == b"ok"
        assert served.source.asked == 1


async def test_too_much_in_flight_is_a_503(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), limits=Limits(in_flight=2)) as served:
        running = [await served.ask(GET) for _ in range(2)]
        wires = [(await upstream.request())[0] for _ in running]
        client = await served.ask(GET)
        answer = await client.response()
        check_problem(answer, 503, "connection_limit_reached")
        assert answer.head.one(b"retry-after") == b"1"
        assert answer.head.one(b"connection") == b"close"
        for wire in wires:
            wire.send(OK)
        for client in running:
            assert (await client.response()).body == b"ok"
        client = await served.ask(GET)
        await wires[1].request()


async def test_too_many_connections_are_told_so_and_closed(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), limits=Limits(connections=2)) as served:
        first, _ = await served.ask(b""), await served.ask(b"")
        await until(lambda: len(served.plane.inbounds) == 2)
        client = await served.ask(GET)
        answer = await client.response()
        check_problem(answer, 503, "connection_limit_reached")
        assert answer.head.one(b"retry-after") == b"1"
        await client.gone()
        client.close()
        first.close()
        await until(lambda: len(served.plane.inbounds) == 1)
        client = await served.ask(GET)
        await upstream.request()
