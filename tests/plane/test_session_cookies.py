"""A session's cookies: how they go out, what of the client's goes with them, what stays here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.plane.cookies import beside, withheld
from proxy.plane.response import ResponsePreparer
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

OURS = b"sid=token-1; part=b"
COOKIES = {
    "none": (b"", b""),
    "another's": (b"Cookie: a=1", b"; a=1"),
    "one of the same name": (b"Cookie: sid=mine", b""),
    "the same name among others": (b"Cookie: a=1; sid=mine;part=x; c=3", b"; a=1; c=3"),
    "the same name twice, spaced": (b"Cookie: sid =mine; a=1;  sid\t= mine", b"; a=1"),
    "several lines": (b"Cookie: a=1\r\ncookie: sid=x\r\nCOOKIE: b=2", b"; a=1; b=2"),
    "hidden in a quoted one": (b'Cookie: a="x; sid=mine; y"', b'; a="x; y"'),
    "without a name": (b"Cookie: plain; =v; sid", b"; plain; =v"),
    "a longer name": (b"Cookie: sid2=x; asid=y; Sid=z", b"; sid2=x; asid=y; Sid=z"),
    "nothing but separators": (b"Cookie: ; ;", b""),
    "nominated": (b"Connection: cookie\r\nCookie: a=1", b""),
}
OTHERS = {
    "a bearer": b"Authorization: Bearer mine",
    "several": b"Authorization: Basic eDp5\r\nAUTHORIZATION:\r\nauthorization: x",
    "a look-alike of cookie": b"COOKIE_: a=1",
}


def asked(*lines: bytes) -> bytes:
    head = [b"GET /x HTTP/1.1", b"Host: localhost", *filter(None, lines), b"X-Last: 1"]
    return b"\r\n".join(head) + b"\r\n\r\n"


@pytest.mark.parametrize("line", [line for line, _ in COOKIES.values()])
async def test_the_session_alone_goes_out(upstream: Origin, line: bytes) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        client, wire = await served.connect(), None
        for sent in (b"", line, line):
            client.send(asked(sent))
            wire = wire or await upstream.accept()
            head = await wire.head()
            assert list(head.lines) == [
                b"Host: upstream.example",
                b"X-Last: 1",
                b"Cookie: " + OURS,
            ]
            wire.send(OK)
            assert (await client.response()).body == b"ok"


@pytest.mark.parametrize(("line", "expected"), COOKIES.values(), ids=COOKIES)
async def test_with_cookies_the_clients_own_follow_those_of_the_session(
    upstream: Origin, line: bytes, expected: bytes
) -> None:
    async with serving(route_to(upstream.port, session=True, cookies=True)) as served:
        client, wire = await served.connect(), None
        turns = ((b"", b""), (line, expected), (line, expected), (line, expected), (b"X-A: 1", b""))
        for turn, (sent, own) in enumerate(turns):
            client.send(asked(sent, b"X-Id: %d" % min(turn, 2)))  # new, like another, the same
            wire = wire or await upstream.accept()
            head = await wire.head()
            assert head.lines[-1] == b"Cookie: " + OURS + own
            assert len(head.all(b"cookie")) == 1
            wire.send(OK)
            assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("line", OTHERS.values(), ids=OTHERS)
async def test_whatever_injects_no_authorization_of_the_client_passes(
    upstream: Origin, line: bytes
) -> None:
    async with serving(route_to(upstream.port, session=True, header="X-Other")) as served:
        client = await served.ask(asked(line, b"X-Other: kept"))
        wire, request = await upstream.request()
        assert request.head.all(b"authorization") == []
        assert request.head.one(b"x-other") == b"kept"
        assert request.head.one(b"cookie") == OURS
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_the_body_follows_and_a_replay_brings_the_new_session(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, session=True, cookies=True)) as served:
        client = await served.ask(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\nContent-Length: 3\r\n\r\nabc"
        )
        wire, first = await upstream.request()
        assert first.body == b"abc"
        wire.send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        again, second = await upstream.request()
        assert second.head.one(b"cookie") == b"sid=token-2; part=b; a=1"
        assert second.body == b"abc"
        again.send(OK)
        assert (await client.response()).body == b"ok"


SET = [
    b"Set-Cookie: sid=new; Path=/; HttpOnly",
    b"set-cookie:part=x",
    b"SET-COOKIE: \tsid =y",
    b"Set-Cookie: sid",
    b"Set-Cookie: sid=1",
    b"Set-Cookie: sid=1",
]
KEPT = [
    b"Set-Cookie: lang=de; Path=/",
    b"Set-Cookie: sid2=sid=x",
    b"Set-Cookie: a=b; sid=c",
    b"X-Set-Cookie: sid=1",
]


@pytest.mark.parametrize("code", [b"200 OK", b"404 Not Found", b"302 Found"])
async def test_the_upstreams_cookies_of_the_session_stay_here(
    upstream: Origin, code: bytes
) -> None:
    mixed = [line for pair in zip(SET, [*KEPT, b"X-A: 1", b"X-B: 2"], strict=True) for line in pair]
    for place in range(len(mixed) + 1):  # with the length cut out anywhere
        lines = [*mixed[:place], b"Content-Length: 2", *mixed[place:]]
        async with serving(route_to(upstream.port, session=True)) as served:
            client = await served.ask(asked())
            wire, _ = await upstream.request()
            wire.send(b"HTTP/1.1 ", code, b"\r\n", b"\r\n".join(lines), b"\r\n\r\nok")
            answer = await client.response()
            assert list(answer.head.lines) == [line for line in lines if line not in SET]
            assert answer.body == b"ok"


async def test_neither_do_they_pass_with_an_informational_answer(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        client = await served.ask(asked())
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: sid=1\r\nLink: </a>\r\n\r\n", OK)
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        assert (await client.response()).body == b"ok"


async def test_where_no_session_is_injected_every_cookie_comes_back(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(asked())
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\nContent-Length: 0\r\n\r\n")
        assert (await client.response()).head.one(b"set-cookie") == b"sid=1"


NAMES = st.sampled_from(["sid", "part", "a", "SID", "", "x"])
PAIRS = st.lists(st.builds("{}={}".format, NAMES, st.text("ab=, \"'", max_size=4)), max_size=6)


@given(PAIRS, st.sampled_from(["; ", ";", " ; ", ";;"]))
def test_no_cookie_of_a_sessions_name_is_sent_twice(pairs: list[str], joined: str) -> None:
    sent = beside(OURS, frozenset({"sid", "part"}), joined.join(pairs).encode())
    assert sent.startswith(OURS)
    names = [pair.partition(b"=")[0].strip() for pair in sent.split(b";")]
    assert names.count(b"sid") == names.count(b"part") == 1
    others = [pair.partition("=")[0] for pair in pairs if pair[:4] not in {"sid=", "part"}]
    assert names[2:] == [name.encode() for name in others]


def test_a_response_that_sets_no_such_cookie_is_not_made_anew() -> None:
    raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\n"
    response, _ = ResponsePreparer(100).prepare(raw, to_head=False)
    assert withheld(response, frozenset({"sid"})) is response
