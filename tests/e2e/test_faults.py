"""Every fault of an upstream, by the real process: what its client is told, and that it lives on.

One process serves all of them; each fault is a route of its own. A client is told of a fault
(RFC 9457, RFC 9209), or cut where an answer has begun; it never gets a well-formed lie.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.conftest import ENVIRON
from tests.support.certificates import Authority
from tests.support.faulty import BEHAVIOURS, Faulty, deaf, faulty, unheard
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.process import Sidecar, free_ports, running, until
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

TOGETHER = ("healthy", "refuses", "closes-before-head", "garbage", "closes-inside-counted")
"""Faults of an upstream that come while the provider fails."""

PROVIDER_FAULTS: dict[str, Reply | None] = {
    "errs": Reply(status=500),
    "hangs": Reply(hang=True),
    "gone": None,
}
"""What every further token request gets; None is a provider that refuses connections."""

LIFETIME = 4.0
"""Seconds that a failing provider's tokens live."""


@dataclass
class Place:
    """The sidecar and everything that it might reach."""

    data: int
    sidecar: Sidecar
    plain: Faulty
    sound: Faulty
    failing: dict[str, IdentityProvider]
    numbers: Iterator[int] = field(default_factory=itertools.count)
    wires: list[Wire] = field(default_factory=list)

    def target(self, name: str) -> str:
        """One that was never asked for before."""
        return f"/{name}/{next(self.numbers)}"

    async def connect(self) -> Wire:
        self.wires.append(await Wire.connect(self.data))
        return self.wires[-1]

    def leave(self) -> None:
        """Cut every client."""
        for wire in self.wires:
            wire.writer.transport.abort()
        self.wires.clear()

    async def ask(self, target: str, client: Wire | None = None, body: bytes = b"") -> Wire:
        client = client or await self.connect()
        start = f"{'POST' if body else 'GET'} {target} HTTP/1.1\r\nHost: localhost\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        client.send(f"{start}{length}\r\n".encode(), body)
        return client

    async def check_lives_on(self, client: Wire | None) -> None:
        """``client``, unless it was cut, and everybody else are served by the same process."""
        for wire in (client, await self.connect()):
            if wire is not None:
                await self.ask(self.target("healthy"), wire)
                assert (await wire.response()).status == 200
        assert self.sidecar.process.returncode is None
        assert (await self.sidecar.ask("/healthz")).status == 200

    async def check_logged(self, name: str, error: str) -> None:
        """Wait until the access log has the fault's route with its error."""

        async def logged() -> bool:
            lines = self.sidecar.err.splitlines()
            return any(f"route=/{name}/ " in line and f"error={error}" in line for line in lines)

        await until(logged, what=f"{error} at {name}")


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


def credentials(**providers: IdentityProvider) -> str:
    """A credential for each of these providers."""
    entries = [
        f"""\
  {name}:
    token_url: {provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
"""
        for name, provider in providers.items()
    ]
    return "credentials:\n" + "".join(entries)


def route(name: str, port: int, ca_file: Path | None, credential: str = "api") -> str:
    """A fault's route; only where it waits for a timeout is that a short one."""
    slow = name.startswith(("stalls", "accepts", "takes", "vanishes"))
    behaviour = name.rpartition("/")[2]
    behaviour = behaviour if behaviour in BEHAVIOURS else "healthy"
    trusted = f"tls: {{ca_file: {ca_file}}}" if ca_file else ""
    host = "localhost" if ca_file or name == "by-name" else "127.0.0.1"
    return f"""\
  - path: /{name}/
    upstream: {"https" if ca_file else "http"}://{host}:{port}/{behaviour}/
    credential: {credential}
    {trusted}
    {"timeouts: {connect: 0.7s, head: 0.7s, idle: 0.7s}" if slow else ""}
"""


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that knows nothing of TLS."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


async def over_tls(stack: AsyncExitStack, home: Path) -> dict[str, int]:
    """The ports of the faults that TLS has; a name's authority is trusted, but for one."""
    ours, strange = Authority(home), Authority(Path(stack.enter_context(directory())))
    good = ours.server_context(ours.issue())
    contexts = {
        "expired": ours.server_context(ours.issue(ends=-dt.timedelta(days=1))),
        "wrong-name": ours.server_context(ours.issue("other.example", addresses=())),
        "unknown-authority": strange.server_context(strange.issue()),
        **{name: good for name in BEHAVIOURS if name.startswith("truncates")},
    }
    ports = {
        name: (await stack.enter_async_context(faulty(context))).port
        for name, context in contexts.items()
    }
    greeter = await asyncio.start_server(greet, "127.0.0.1", 0)
    stack.callback(greeter.close)
    ports["plain-instead-of-tls"] = greeter.sockets[0].getsockname()[1]
    ports["stalls-in-handshake"] = stack.enter_context(deaf(full=False))
    return ports


def directory() -> tempfile.TemporaryDirectory[str]:
    """One whose path is short enough for Unix sockets in it."""
    return tempfile.TemporaryDirectory(prefix="sidecar-")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(directory()))
        plain, sound, provider = [
            await stack.enter_async_context(one) for one in (faulty(), faulty(), IdentityProvider())
        ]
        failing = {
            name: await stack.enter_async_context(IdentityProvider()) for name in PROVIDER_FAULTS
        }
        for one in failing.values():
            one.lifetime = LIFETIME
        tls = await over_tls(stack, home)
        ports = dict.fromkeys(BEHAVIOURS, plain.port) | {
            "healthy": sound.port,
            "by-name": sound.port,
            "healthy-before": plain.port,
            "refuses": stack.enter_context(unheard()),
            "accepts-nothing": stack.enter_context(deaf(full=True)),
        }
        routes = [
            route(name, port, home / "ca.pem" if name in tls else None)
            for name, port in (ports | tls).items()
        ]
        routes += [
            route(f"{name}/{fault}", ports[fault], None, name)
            for name in failing
            for fault in TOGETHER
        ]
        data, admin = free_ports(2)
        top = f"listen: 127.0.0.1:{data}\nadmin: 127.0.0.1:{admin}\nhold: 0.5s\n"
        config = top + credentials(api=provider, **failing) + "routes:\n" + "".join(routes)
        sidecar = await stack.enter_async_context(
            running(config, home, admin=f"127.0.0.1:{admin}", environ=ENVIRON)
        )
        await sidecar.ready()
        yield Place(data, sidecar, plain, sound, failing)


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
    await until(ended, deadline=20, what=f"503 where the provider {name}")
    assert served[0]
    assert how is None or provider.asked > asked


async def test_faults_are_told_as_ever_while_providers_fail_and_are_a_503_after_the_tokens_end(
    place: Place,
) -> None:
    await asyncio.gather(*(check_beside(place, name) for name in PROVIDER_FAULTS))
    await place.check_lives_on(None)
