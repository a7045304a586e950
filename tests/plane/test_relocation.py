"""``rewrite_location``: what points at the route's upstream points here, the rest is untouched."""

from __future__ import annotations

import ssl

import pytest

from proxy.plane.relocation import Relocation
from proxy.plane.settings import Route, Upstream
from tests.support.plane import route_to, serving
from tests.support.wire import Origin

HERE = b"http://localhost:8080"
TLS = ssl.create_default_context()


def way_back(
    path: str = "/a/", upstream_path: str = "/v1/", *, port: int = 443, host: str = "u.example"
) -> Relocation:
    tls = None if port == 80 else TLS
    upstream = Upstream(host, port, host, tls)
    return Relocation(Route(path, upstream, upstream_path, None, rewrite_location=True))


MOVED = [
    (b"https://u.example/v1/x", b"/a/x"),
    (b"https://u.example/v1/", b"/a/"),
    (b"https://u.example/v1/x%2Fy;z=1/?q=%2A#part", b"/a/x%2Fy;z=1/?q=%2A#part"),
    (b"https://u.example/v1/?q=http://u.example/v1/", b"/a/?q=http://u.example/v1/"),
    (b"HTTPS://U.Example/v1/x", b"/a/x"),
    (b"https://u.example:443/v1/x", b"/a/x"),
    (b"https://u.example:/v1/x", b"/a/x"),
    (b"https://u.example/v1//x", b"/a//x"),
]
UNTOUCHED = [
    b"/v1/x",
    b"x",
    b"../x",
    b"?q",
    b"//u.example/v1/x",
    b"http://u.example/v1/x",
    b"https://u.example:444/v1/x",
    b"https://other.example/v1/x",
    b"https://u.example.evil/v1/x",
    b"https://evil.u.example/v1/x",
    b"https://joe@u.example/v1/x",
    b"https://u.example@evil/v1/x",
    b"https://u.example\\@evil/v1/x",
    b"https://u.example",
    b"https://u.example/",
    b"https://u.example/v1",
    b"https://u.example/v1x",
    b"https://u.example/V1/x",
    b"https://u.example/v2/x",
    b"https://u.example/v1/../admin",
    b"https://u.example/v1/%2e%2e/admin",
    b"https://u.example//v1/x",
    b"ftp://u.example/v1/x",
    b"https:///v1/x",
    b"\xff\xfe",
]


@pytest.mark.parametrize(("value", "moved"), MOVED)
def test_a_place_at_the_upstream_is_a_place_here(value: bytes, moved: bytes) -> None:
    assert way_back().reference(value, HERE) == HERE + moved
    assert way_back().reference(value, b"") == moved


@pytest.mark.parametrize("value", UNTOUCHED)
def test_every_other_place_is_untouched(value: bytes) -> None:
    assert way_back().reference(value, HERE) == value


@pytest.mark.parametrize(
    ("path", "upstream_path", "value", "moved"),
    [
        ("/", "/", b"https://u.example", b"/"),
        ("/", "/", b"https://u.example?q", b"/?q"),
        ("/", "/", b"https://u.example/x", b"/x"),
        ("/a/", "/", b"https://u.example", b"/a/"),
        ("/a/", "/infer", b"https://u.example/infer", b"/a/"),
        ("/a/", "/infer", b"https://u.example/infer?q", b"/a/?q"),
        ("/a/", "/infer", b"https://u.example/infer/x", b"/a/x"),
        ("/", "/v1/", b"https://u.example/v1/x", b"/x"),
    ],
)
def test_the_routes_path_takes_the_place_of_the_upstreams(
    path: str, upstream_path: str, value: bytes, moved: bytes
) -> None:
    assert way_back(path, upstream_path).reference(value, HERE) == HERE + moved


@pytest.mark.parametrize(
    ("path", "upstream_path", "value"),
    [
        ("/", "/v1/", b"https://u.example/v1//x"),  # we would refuse //x
        ("/a/", "/infer", b"https://u.example/infer/"),  # no request leads there
        ("/a/", "/infer", b"https://u.example/inference"),
    ],
)
def test_a_place_that_no_request_reaches_is_untouched(
    path: str, upstream_path: str, value: bytes
) -> None:
    assert way_back(path, upstream_path).reference(value, HERE) == value


def test_hosts_and_ports_of_every_kind_are_compared() -> None:
    plain = way_back(port=80)
    assert plain.reference(b"http://u.example/v1/x", b"") == b"/a/x"
    assert plain.reference(b"https://u.example/v1/x", b"") == b"https://u.example/v1/x"
    six = way_back(host="fd00::1", port=8443)
    assert six.reference(b"https://[FD00::1]:8443/v1/x", b"") == b"/a/x"
    assert six.reference(b"https://[fd00::1]/v1/x", b"") == b"https://[fd00::1]/v1/x"


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        (b"Location: %b/v1/x?y", b"Location: http://localhost:9/a/x?y"),
        (b"LOCATION:%b/v1/x", b"LOCATION:http://localhost:9/a/x"),
        (b"Content-Location:  \t%b/v1/x ", b"Content-Location:  \thttp://localhost:9/a/x "),
        (b"Location: /v1/x", b"Location: /v1/x"),
        (b"X-Location: %b/v1/x", b"X-Location: %b/v1/x"),
        (b"Link: <%b/v1/x>; rel=location:", b"Link: <%b/v1/x>; rel=location:"),
    ],
)
@pytest.mark.parametrize("rewrites", [True, False])
async def test_nothing_but_the_value_changes_on_the_wire(
    upstream: Origin, sent: bytes, got: bytes, rewrites: bool
) -> None:
    there = b"http://127.0.0.1:%d" % upstream.port
    sent, got = sent.replace(b"%b", there), got.replace(b"%b", there)
    route = route_to(upstream.port, "/a/", "/v1/", rewrite_location=rewrites)
    async with serving(route, hosts=frozenset({"localhost:9"})) as served:
        client = await served.ask(b"GET /a/ HTTP/1.1\r\nHost: localhost:9\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(
            b"HTTP/1.1 302 Found\r\nA: 1\r\n", sent,
            b"\r\nContent-Length: 2\r\nB: ", there, b"/v1/\r\n\r\nok",
        )  # fmt: skip
        expected = got if rewrites else sent
        assert await client.until(b"\r\n\r\nok") == (
            b"HTTP/1.1 302 Found\r\nA: 1\r\n" + expected
            + b"\r\nContent-Length: 2\r\nB: " + there + b"/v1/\r\n\r\nok"
        )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "here"),
    [
        (b"GET /a/ HTTP/1.1\r\nHost: LocalHost\r\n\r\n", b"http://LocalHost"),
        (b"GET http://127.0.0.1/a/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"http://127.0.0.1"),
        (b"GET /a/ HTTP/1.0\r\n\r\n", b""),
    ],
)
async def test_it_points_to_where_the_client_found_us(
    upstream: Origin, request_: bytes, here: bytes
) -> None:
    async with serving(route_to(upstream.port, "/a/", rewrite_location=True)) as served:
        client = await served.ask(request_)
        wire, _ = await upstream.request()
        wire.send(
            b"HTTP/1.1 201 Created\r\nLocation: http://127.0.0.1:%d/x\r\n" % upstream.port,
            b"Content-Length: 0\r\n\r\n",
        )
        assert (await client.response()).head.one(b"location") == here + b"/a/x"
