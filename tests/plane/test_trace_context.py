"""Another parent in a head: whose place it takes, and what stays as it came."""

from __future__ import annotations

import pytest

from proxy.plane.prepare import Prepared
from proxy.plane.settings import Route
from proxy.plane.totals import AccessRecord
from proxy.plane.trace_context import Parent, parent_in, with_parent
from tests.support.plane import route_to, serving
from tests.support.refused import refused_once
from tests.support.wire import OK, Origin

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
THEIRS = f"00-{TRACE}-{SPAN}-01".encode()
OURS = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
START = b"POST /x HTTP/1.1\r\nHost: h\r\n"


def test_ours_takes_the_place_of_a_good_one_and_nothing_else_moves() -> None:
    before = b"TraceParent:  " + THEIRS + b"\t\r\ntracestate: a=1,b=2\r\nTRACESTATE: c=3\r\nX: y"
    message = START + before + b"\r\n\r\nbody\r\ntraceparent: not this\r\n\r\n"
    assert with_parent(message, OURS, joined=True) == message.replace(THEIRS + b"\t", OURS)


def test_it_may_be_the_last_line() -> None:
    message = START + b"traceparent: " + THEIRS + b"\r\n\r\n"
    assert with_parent(message, OURS, joined=True) == message.replace(THEIRS, OURS)


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"traceparent: nonsense\r\n",
        b"traceparent: " + THEIRS + b"\r\ntraceparent: " + THEIRS + b"\r\n",
        b"tracestate: a=1\r\n",
        b"TRACEPARENT:\r\nTraceState: a=1\r\ntracestate:\r\n",
    ],
)
def test_where_none_is_to_be_joined_a_trace_begins_and_nothing_of_another_stays(
    lines: bytes,
) -> None:
    message = START + lines + b"Accept: */*\r\n\r\nbody"
    assert parent_in(message) is None
    told = START + b"Accept: */*\r\ntraceparent: " + OURS + b"\r\n\r\nbody"
    assert with_parent(message, OURS, joined=False) == told


@pytest.mark.parametrize(
    ("flags", "kept"), [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("ff", 3), ("fc", 0)]
)
def test_flags_that_mean_nothing_yet_go_no_further(flags: str, kept: int) -> None:
    head = START + f"traceparent: 00-{TRACE}-{SPAN}-{flags}\r\n\r\n".encode()
    assert parent_in(head) == Parent(TRACE, SPAN, kept)


class Followed:
    """Follows every request; ``told`` is what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, prepared: Prepared, route: Route, *, secure: bool) -> Followed:
        self.told.append((prepared.target, route.path, secure))
        return self

    def sent(self, message: bytes) -> bytes:
        self.told.append("sent")
        return with_parent(message, OURS, joined=True)

    def answered(self, status: int) -> None:
        self.told.append(status)

    def finished(self, record: AccessRecord) -> None:
        self.told.append(record.status)


async def test_each_sending_gets_a_parent_of_its_own(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        followed = served.plane.tracing = Followed()
        head = b"POST /p?q HTTP/1.1\r\nHost: localhost\r\ntraceparent: " + THEIRS + b"\r\n"
        client = await served.ask(head, b"Content-Length: 6\r\n\r\nabcdef")
        wire, first, second = await refused_once(upstream)
        assert first.head.one(b"traceparent") == second.head.one(b"traceparent") == OURS
        assert first.body == second.body == b"abcdef"
        wire.send(OK)
        assert (await client.response()).status == 200
        await served.record()
        assert followed.told == [(b"/p?q", "/", False), "sent", 401, "sent", 200, 200]


async def test_who_gets_no_answer_is_told_of_too(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        followed = served.plane.tracing = Followed()
        client = await served.ask(b"GET /p HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await upstream.accept()
        client.close()
        await served.record()
        assert followed.told == [(b"/p", "/", False), "sent", 0]


async def test_where_nobody_follows_the_context_passes_as_it_came(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        head = b"GET /p HTTP/1.1\r\nHost: localhost\r\ntraceparent: odd\r\ntracestate: a=1\r\n\r\n"
        client = await served.ask(head)
        wire, message = await upstream.request()
        assert message.head.one(b"traceparent") == b"odd"
        assert message.head.one(b"tracestate") == b"a=1"
        wire.send(OK)
        await client.response()
