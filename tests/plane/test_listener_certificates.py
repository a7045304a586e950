"""TLS on our own listeners: which versions, which certificate at which time, which URLs."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from proxy.plane.certificates import server_context
from tests.support.certificates import Authority, Pair
from tests.support.plane import route_to, serving, settings_with
from tests.support.wire import OK, Origin, Wire

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def showing(pair: Pair) -> ssl.SSLContext:
    context = server_context()
    context.load_cert_chain(pair.cert_file, pair.key_file)
    return context


def serial(wire: Wire) -> str:
    shown: str = wire.writer.get_extra_info("peercert")["serialNumber"]
    return shown


async def check_served(client: Wire, upstream: Origin, wire: Wire | None = None) -> Wire:
    client.send(GET)
    wire = wire or await upstream.accept()
    await wire.request()
    wire.send(OK)
    assert (await client.response()).body == b"ok"
    return wire


async def test_http_1_is_agreed_on_and_nothing_else(upstream: Origin, authority: Authority) -> None:
    async with serving(route_to(upstream.port), tls=showing(authority.issue())) as served:
        for offered, agreed in (["h2", "http/1.1"], "http/1.1"), (["h2"], None), ([], None):
            trusting = authority.client_context()
            if offered:
                trusting.set_alpn_protocols(offered)
            client = await served.connect(tls=trusting)
            assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == agreed


async def test_tls_1_1_is_refused(upstream: Origin, authority: Authority) -> None:
    old = authority.client_context()
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(route_to(upstream.port), tls=showing(authority.issue())) as served:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await served.connect(tls=old)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_that_names_no_server_is_served(
    upstream: Origin, authority: Authority, version: ssl.TLSVersion
) -> None:
    nameless = authority.client_context()
    nameless.check_hostname = False
    nameless.minimum_version = nameless.maximum_version = version
    async with serving(route_to(upstream.port), tls=showing(authority.issue())) as served:
        client = await served.connect(tls=nameless, name="")
        await check_served(client, upstream)


async def test_a_changed_certificate_is_shown_to_the_next_and_cuts_nobody(
    upstream: Origin, authority: Authority
) -> None:
    async with serving(route_to(upstream.port), tls=showing(authority.issue())) as served:
        old = await served.connect(tls=authority.client_context())
        wire = await check_served(old, upstream)
        changed = dict.fromkeys(served.settings.tls, showing(authority.issue()))
        served.plane.swap(settings_with(served, tls=changed), served.credentials)
        new = await served.connect(tls=authority.client_context())
        assert serial(new) != serial(old)
        for client in (old, new):
            await check_served(client, upstream, wire)


async def test_plain_http_on_a_tls_listener_is_answered_by_nothing(
    upstream: Origin, authority: Authority
) -> None:
    async with serving(route_to(upstream.port), tls=showing(authority.issue())) as served:
        client = await served.ask(GET)
        assert not (await client.gone()).startswith(b"HTTP")
        other = await served.connect(tls=authority.client_context())
        await check_served(other, upstream)


ABSOLUTE = [
    (True, b"https://localhost/", 200),
    (True, b"HTTPS://LOCALHOST/", 200),
    (True, b"http://localhost/", 200),
    (True, b"https://evil.example/", 421),
    (False, b"http://localhost/", 200),
    (False, b"https://localhost/", 421),
    (False, b"https://localhost:443/", 421),
]


@pytest.mark.parametrize(("secure", "target", "status"), ABSOLUTE)
async def test_an_https_url_is_asked_for_over_tls_only(
    upstream: Origin, authority: Authority, secure: bool, target: bytes, status: int
) -> None:
    tls = showing(authority.issue()) if secure else None
    async with serving(route_to(upstream.port), tls=tls) as served:
        client = await served.connect(tls=authority.client_context() if secure else None)
        client.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if status == 200:
            wire, request = await upstream.request()
            assert request.head.target == b"/"
            wire.send(OK)
        assert (await client.response()).status == status


async def test_a_location_points_back_over_tls(upstream: Origin, authority: Authority) -> None:
    route = route_to(upstream.port, "/a/", rewrite_location=True)
    async with serving(route, tls=showing(authority.issue())) as served:
        client = await served.connect(tls=authority.client_context())
        client.send(b"GET /a/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/x\r\n" % upstream.port,
            b"Content-Length: 0\r\n\r\n",
        )
        assert (await client.response()).head.one(b"location") == b"https://localhost/a/x"
