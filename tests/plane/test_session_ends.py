"""A session's end as upstreams tell it: redirects, sign-in pages, 401; and what is none."""

from __future__ import annotations

import pytest

from proxy.plane.cache import MOST_HEADS
from proxy.plane.response import PreparedResponse, ResponsePreparer
from proxy.plane.settings import Route
from proxy.plane.sign_in import SignIn
from proxy.tokens.session import Session
from tests.support.plane import SESSION, Served, route_to, serving, upstream_at
from tests.support.wire import Message, Origin, until

GET = b"GET /x?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n\r\nsign"
FORBIDDEN = PAGE.replace(b"200 OK", b"403 Forbidden")
TO_SIGN_IN = (
    b"HTTP/1.1 302 Found\r\nLocation: https://sign.example/in?rd=%2Fx\r\nContent-Length: 0\r\n\r\n"
)
ENTRANCES = [
    b"https://sign.example/in",
    b"https://sign.example/in?a=b&c=d",
    b"https://sign.example:443/in#part",
    b"HTTPS://SIGN.Example/in?x",
    b"//upstream.example/login?next=/x",
    b"/login",
    b"login",
    b"./login?a",
    b"../login",
    b"http://upstream.example:80/login",
    b"/a/../login",
]
ELSEWHERE = [
    b"https://sign.example/in/",
    b"https://sign.example/",
    b"https://sign.example/In",
    b"http://sign.example/in",
    b"https://sign.example:444/in",
    b"https://sign.example.evil/in",
    b"https://evil/?https://sign.example/in",
    b"/loginx",
    b"?/login",
    b"",
    b"https://[half/in",
    b"https://sign.example:x/in",
    b"ftp://sign.example/in",
    b"mailto:login",
    b"\xff\xfe",
]


def sid(request: Message) -> bytes:
    cookie = request.head.one(b"cookie")
    assert cookie is not None
    return cookie.partition(b";")[0].removeprefix(b"sid=")


def closing(answer: bytes) -> bytes:
    """The same on a connection of its own, so that the next request is accepted anew."""
    return answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


async def once(served: Served, upstream: Origin, first: bytes, then: bytes) -> Message:
    """One request whose first answer has to bring a new session, and then this one."""
    client = await served.ask(GET)
    wire, request = await upstream.request()
    wire.send(first)
    again, repeated = await upstream.request()
    assert sid(request) != sid(repeated)
    again.send(closing(then))
    return await client.response()


async def passed(served: Served, upstream: Origin, answer: bytes, sent: bytes = GET) -> Message:
    """One request whose answer passes as it is."""
    accepted, client = upstream.accepted, await served.ask(sent)
    wire, _ = await upstream.request()
    wire.send(closing(answer))
    response = await client.response()
    assert upstream.accepted == accepted + 1
    return response


async def test_a_redirect_to_the_entrance_brings_a_new_session_and_is_not_seen(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        assert (await once(served, upstream, TO_SIGN_IN, JSON)).body == b"{}"
        assert served.source.asked == 2
        assert (await served.record()).replayed


def read(raw: bytes) -> PreparedResponse:
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return ResponsePreparer(100).prepare(head, to_head=False)[0]


def redirect(location: bytes, code: int = 302) -> PreparedResponse:
    return read(b"HTTP/1.1 %d Found\r\nLOCATION:%b\r\nContent-Length: 0\r\n\r\n" % (code, location))


def sign_in() -> SignIn:
    return SignIn(Route("/", upstream_at(1), "/", "token", session=True))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ENTRANCES)
def test_every_spelling_of_an_entrance_is_one(location: bytes, code: int) -> None:
    response = redirect(location, code)
    assert sign_in().shown(response, b"/x?/login", SESSION, renewed=False)


@pytest.mark.parametrize("location", ELSEWHERE)
def test_redirects_to_other_places_are_the_upstreams_answers(location: bytes) -> None:
    assert not sign_in().shown(redirect(location), b"/x", SESSION, renewed=False)


@pytest.mark.parametrize("code", [200, 201, 300, 304, 305, 404])
def test_a_location_counts_in_redirects_only(code: int) -> None:
    response = redirect(b"https://sign.example/in", code)
    assert not sign_in().shown(response, b"/x", SESSION, renewed=False)


def test_without_known_entrances_no_redirect_counts() -> None:
    session = Session(frozenset({"sid"}))
    assert not sign_in().shown(redirect(b"/login"), b"/x", session, renewed=False)


@pytest.mark.parametrize("page", [PAGE, FORBIDDEN, PAGE.replace(b"text/html", b"Text/HTML")])
async def test_a_page_where_something_else_was_brings_a_new_session(
    upstream: Origin, page: bytes
) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        assert (await passed(served, upstream, JSON)).body == b"{}"
        assert (await once(served, upstream, page, JSON)).body == b"{}"
        assert served.source.asked == 2


@pytest.mark.parametrize("first", [PAGE, FORBIDDEN])
async def test_a_page_on_a_path_that_nothing_is_known_of_passes(
    upstream: Origin, first: bytes
) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        await passed(served, upstream, JSON, GET.replace(b"/x", b"/other"))
        for _ in range(3):
            assert (await passed(served, upstream, first)).body == b"sign"
        assert served.source.asked == 1


@pytest.mark.parametrize("status", [b"403 Forbidden", b"404 Not Found", b"500 Broken"])
async def test_no_status_alone_is_the_end_of_a_session(upstream: Origin, status: bytes) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        await passed(served, upstream, JSON)
        answer = JSON.replace(b"200 OK", status)
        for _ in range(2):
            assert (await passed(served, upstream, answer)).body == b"{}"
        if status[:3] != b"403":
            await passed(served, upstream, PAGE.replace(b"200 OK", status))
        assert served.source.asked == 1


async def test_html_that_comes_again_with_a_new_session_is_normal_there(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        await passed(served, upstream, JSON)
        assert (await once(served, upstream, PAGE, PAGE)).body == b"sign"
        served.clock.move(3600 / 2)  # far beyond renew.min_interval
        for answer in (PAGE, FORBIDDEN, JSON, PAGE, FORBIDDEN):
            await passed(served, upstream, answer)
        assert served.source.asked == 2


async def test_a_redirect_that_comes_again_passes_and_the_next_one_counts(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        assert (await once(served, upstream, TO_SIGN_IN, TO_SIGN_IN)).status == 302
        served.clock.move(60)
        assert (await once(served, upstream, TO_SIGN_IN, JSON)).status == 200
        assert served.source.asked == 3


async def test_a_storm_of_sign_in_pages_costs_one_login(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        await passed(served, upstream, JSON)
        clients = [await served.ask(GET) for _ in range(20)]
        wires = [(await upstream.request())[0] for _ in clients]
        for wire in wires:
            wire.send(PAGE)
        for _ in clients:
            again, second = await upstream.request()
            assert sid(second) == b"token-2"
            again.send(closing(JSON))
        for client in clients:
            assert (await client.response()).body == b"{}"
        await passed(served, upstream, TO_SIGN_IN)  # soon after: passes, rejects nothing
        assert served.source.asked == 2


async def test_a_body_that_was_not_kept_gets_its_redirect_and_the_next_a_new_session(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, session=True, replay_body=2)) as served:
        client = await served.ask(
            b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
        )
        wire, _ = await upstream.request()
        wire.send(TO_SIGN_IN)
        assert (await client.response()).status == 302
        await until(lambda: served.source.asked == 2)
        client.send(GET)
        assert sid(await wire.request()) == b"token-2"


async def test_a_page_passes_whole_where_no_new_session_is_to_be_had(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, session=True)) as served:
        await passed(served, upstream, JSON)
        served.source.errors = [RuntimeError("no")]
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(PAGE[:-2])
        await until(lambda: served.source.asked == 2)
        wire.send(PAGE[-2:])
        assert (await client.response()).body == b"sign"


async def test_where_no_session_is_injected_redirects_and_pages_mean_nothing(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        for answer in (JSON, PAGE, FORBIDDEN, TO_SIGN_IN):
            await passed(served, upstream, answer)
        assert served.source.asked == 1


async def test_the_redirect_is_judged_before_it_is_rewritten(upstream: Origin) -> None:
    route = route_to(upstream.port, session=True, rewrite_location=True)
    to_login = TO_SIGN_IN.replace(b"https://sign.example/in", b"http://upstream.example/login")
    async with serving(route) as served:
        assert (await once(served, upstream, to_login, JSON)).status == 200
        elsewhere = TO_SIGN_IN.replace(b"https://sign.example/in", b"/y")
        assert (await passed(served, upstream, elsewhere)).status == 302


def test_what_is_known_of_paths_is_bounded_and_the_oldest_go_first() -> None:
    watch, json, page = sign_in(), read(JSON), read(PAGE)
    for number in range(5 * MOST_HEADS):
        assert not watch.shown(json, b"/%d" % number, SESSION, renewed=False)
    assert not watch.shown(page, b"/0", SESSION, renewed=False)
    assert watch.shown(page, b"/%d?q" % (5 * MOST_HEADS - 1), SESSION, renewed=False)


def test_answers_without_a_type_teach_nothing() -> None:
    watch = sign_in()
    untyped = read(b"HTTP/1.1 204 No Content\r\n\r\n")
    for known in (untyped, read(JSON), untyped):
        assert not watch.shown(known, b"/x", SESSION, renewed=False)
    assert watch.shown(read(PAGE), b"/x", SESSION, renewed=False)


def test_what_failed_teaches_nothing() -> None:
    watch = sign_in()
    for status in (b"404 Not Found", b"500 Broken", b"403 Forbidden"):
        failed = read(JSON.replace(b"200 OK", status))
        assert not watch.shown(failed, b"/x", SESSION, renewed=False)
    assert not watch.shown(read(PAGE), b"/x", SESSION, renewed=False)


def test_a_page_that_comes_to_a_replay_is_no_sign_and_none_is_from_then_on() -> None:
    watch, page = sign_in(), read(PAGE)
    assert not watch.shown(read(JSON), b"/x", SESSION, renewed=False)
    assert not watch.shown(page, b"/x", SESSION, renewed=True)
    assert not watch.shown(page, b"/x", SESSION, renewed=False)
