"""Every fault of an upstream, by the real process: what its client is told, and that it lives on.

One process serves all of them; each fault is a route of its own. A client is told of a fault
(RFC 9457, RFC 9209), or cut where an answer has begun; it never gets a well-formed lie.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.faulty_place import (
    LIFETIME,
    PROVIDER_FAULTS,
    TOGETHER,
    Place,
    faulty_place,
)
from tests.support.process import until
from tests.support.wire import Message, Wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

BIG = 64 << 20

TOLD: dict[str, tuple[int, str]] = {
    "refuses": (502, "connection_refused"),
    "accepts-nothing": (504, "connection_timeout"),
    "resets-before-head": (502, "connection_terminated"),
    "resets-inside-head": (502, "connection_terminated"),
    "closes-before-head": (502, "connection_terminated"),
    "closes-inside-head": (502, "connection_terminated"),
    "stalls-before-head": (504, "http_response_timeout"),
    "stalls-inside-head": (504, "http_response_timeout"),
    "garbage": (502, "http_protocol_error"),
    "both-framings": (502, "http_protocol_error"),
    "endless-head": (502, "http_protocol_error"),
    "floods-1xx": (502, "http_protocol_error"),
    "expired": (502, "tls_certificate_error"),
    "wrong-name": (502, "tls_certificate_error"),
    "unknown-authority": (502, "tls_certificate_error"),
    "plain-instead-of-tls": (502, "tls_protocol_error"),
    "stalls-in-handshake": (504, "connection_timeout"),
    "truncates-before-head": (502, "connection_terminated"),
}
"""Nothing of an answer has come: the status and the error type of RFC 9209."""

CUT: dict[str, str] = {
    "resets-inside-counted": "connection_terminated",
    "resets-inside-chunked": "connection_terminated",
    "resets-inside-unbounded": "connection_terminated",
    "closes-inside-counted": "http_response_incomplete",
    "closes-inside-chunked": "http_response_incomplete",
    "stalls-inside-counted": "http_response_timeout",
    "stalls-inside-chunked": "http_response_timeout",
    "truncates-inside-unbounded": "http_response_incomplete",
}
"""An answer has begun: only the log can still say what happened."""


async def final(client: Wire) -> Message:
    """The answer behind any informational ones."""
    while (answer := await client.response()).status < 200:
        pass
    return answer


def check_problem(answer: Message, status: int, error: str) -> None:
    """The sidecar says it in its own name."""
    assert (answer.status, answer.head.one(b"proxy-status")) == (
        status,
        f"token-sidecar; error={error}".encode(),
    )
    assert answer.head.one(b"content-type") == b"application/problem+json"
    told = json.loads(answer.body)
    assert told["status"] == status
    assert told.keys() == {"type", "title", "status", "detail", "instance"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    async with faulty_place() as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def clients_leave(place: Place) -> AsyncIterator[None]:
    yield
    place.leave()
    await asyncio.sleep(0)


@pytest.mark.parametrize("fault", TOLD)
async def test_before_an_answer_a_fault_is_told_and_the_connection_stays(
    place: Place, fault: str
) -> None:
    target = place.target(fault)
    client = await place.ask(target)
    answer = await final(client)
    check_problem(answer, *TOLD[fault])
    assert answer.head.one(b"connection") is None
    assert place.plain.seen[target] <= 1
    await place.check_lives_on(client)


@pytest.mark.parametrize("fault", CUT)
async def test_inside_an_answer_a_fault_cuts_the_client(place: Place, fault: str) -> None:
    place.plain.read.clear()
    target = place.target(fault)
    client = await place.ask(target)
    head = await client.head()
    assert head.status == 200
    began = b"abc" if head.one(b"content-length") else b"3\r\nabc\r\n"
    assert await client.exactly(len(began)) == began
    place.plain.read.set()
    with pytest.raises(ConnectionResetError):
        await client.rest()
    await place.check_logged(fault, CUT[fault])
    assert place.plain.seen[target] <= 1
    await place.check_lives_on(None)


async def test_an_upstream_that_takes_no_more_of_a_body_is_a_504_and_cuts_the_client(
    place: Place,
) -> None:
    target = place.target("takes-no-body")
    client = await place.ask(target, body=bytes(BIG))
    answer = await client.response()
    check_problem(answer, 504, "http_response_timeout")
    assert answer.head.one(b"connection") == b"close"
    await client.gone()
    assert place.plain.seen[target] == 1
    await place.check_lives_on(None)


async def test_a_peer_that_vanished_behind_a_pooled_connection_is_a_504_and_left_behind(
    place: Place,
) -> None:
    first, second, third = (place.target("vanishes") for _ in range(3))
    client = await place.ask(first)
    assert (await client.response()).status == 200
    await place.ask(second, client, b"x")
    check_problem(await client.response(), 504, "http_response_timeout")
    assert place.plain.seen[second] == 0
    await place.ask(third, client)
    assert (await client.response()).status == 200
    await place.check_lives_on(client)


@pytest.mark.parametrize("size", [1, 200_000])
async def test_a_post_whose_pooled_connection_is_closed_meanwhile_is_never_sent_twice(
    place: Place, size: int
) -> None:
    for number in range(100):
        place.plain.read.clear()
        client = await place.ask(place.target("closes-after"))
        await client.response()
        closed_before = number % 2 == 1
        if closed_before:  # and noticed, for another round trip has passed
            place.plain.read.set()
            await (await place.ask(place.target("healthy"), client)).response()
        target = place.target("closes-after")
        await place.ask(target, client, bytes(size))
        place.plain.read.set()
        answer = await client.response()
        if closed_before or answer.status == 200:
            assert (answer.status, place.plain.seen[target]) == (200, 1)
        else:
            check_problem(answer, 502, "connection_terminated")
            assert place.plain.seen[target] == 0
    await place.check_lives_on(None)


async def test_a_post_that_was_read_on_a_pooled_connection_and_not_answered_is_a_502(
    place: Place,
) -> None:
    client = await place.ask(place.target("healthy-before"))
    assert (await client.response()).status == 200
    connections = place.plain.accepted
    target = place.target("closes-before-head")
    await place.ask(target, client, b"x")
    check_problem(await client.response(), 502, "connection_terminated")
    assert (place.plain.seen[target], place.plain.accepted) == (1, connections)
    await place.check_lives_on(client)


async def test_a_name_is_reached_by_ipv4_where_nothing_listens_by_ipv6(place: Place) -> None:
    client = await place.ask(place.target("by-name"))
    assert (await client.response()).status == 200
    await place.check_lives_on(client)


Outcome = tuple[int, str | None, bool]
"""Status, error type, whether the client was cut inside the answer."""

NO_TOKEN: Outcome = (503, "proxy_internal_response", False)


def usual(fault: str) -> Outcome:
    """As it is without any fault of the provider."""
    return (*TOLD[fault], False) if fault in TOLD else (200, None, fault in CUT)


async def outcome(place: Place, name: str, fault: str) -> Outcome:
    """What one request gets by this credential from this upstream."""
    client = await place.ask(place.target(f"{name}/{fault}"))
    head = await client.head()
    size = int(head.one(b"content-length") or 0)
    cut = head.status == 200 and fault in CUT
    received = await (client.gone() if cut else client.exactly(size))
    told = (head.one(b"proxy-status") or b"").decode()
    if told:
        check_problem(Message(head, received), head.status, told.rpartition("=")[2])
    assert head.status != 503 or int(head.one(b"retry-after") or 0) > 0
    client.close()
    return head.status, told.rpartition("=")[2] or None, len(received) < size


async def check_beside(place: Place, name: str) -> None:
    """Break one provider; the faults of upstreams are told as ever until its last token ends."""
    provider, how = place.failing[name], PROVIDER_FAULTS[name]
    before = provider.asked

    async def renewed() -> bool:
        return provider.asked > before

    async def ended() -> bool:
        outcomes = await asyncio.gather(*(outcome(place, name, fault) for fault in TOGETHER))
        served.append(outcomes == [usual(fault) for fault in TOGETHER])
        assert served[-1] or time.time() > ends - LIFETIME / 5, outcomes
        return outcomes == [NO_TOKEN] * len(TOGETHER)

    await until(renewed, what="a fresh token")
    served: list[bool] = []
    ends, asked = time.time() + LIFETIME, provider.asked
    provider.otherwise = how
    if how is None:
        await provider.stop()
    await until(ended, deadline=60, what=f"503 where the provider {name}")
    assert served[0]
    assert how is None or provider.asked > asked


async def test_faults_are_told_as_ever_while_providers_fail_and_are_a_503_after_the_tokens_end(
    place: Place,
) -> None:
    await asyncio.gather(*(check_beside(place, name) for name in PROVIDER_FAULTS))
    await place.check_lives_on(None)
