"""Bytes in at the client's side, bytes out at the upstream's: what passes, what does not."""

from __future__ import annotations

import pytest

from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

HOST = b"Host: localhost\r\n"


async def forwarded(upstream: Origin, request: bytes, **route: object) -> bytes:
    """The upstream's bytes, up to the empty line, for a request without a body."""
    async with serving(route_to(upstream.port, **route)) as served:
        client = await served.ask(request)
        wire = await upstream.accept()
        head = await wire.until(b"\r\n\r\n")
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        return head


async def test_a_request_goes_out_with_its_own_bytes_another_host_and_the_token(
    upstream: Origin,
) -> None:
    sent = (
        b"POST /a/x%2Fy?q=%2A HTTP/1.1\r\n"
        b"hOsT: localhost\r\n"
        b"X-Odd:   kept  \r\n"
        b"accept:*/*\r\n"
        b"X-Odd:\r\n"
        b"X-Latin: \xe9\r\n"
        b"\r\n"
    )
    assert await forwarded(upstream, sent, path="/a/", upstream_path="/v1/") == (
        b"POST /v1/x%2Fy?q=%2A HTTP/1.1\r\n"
        b"Host: upstream.example\r\n"
        b"X-Odd:   kept  \r\n"
        b"accept:*/*\r\n"
        b"X-Odd:\r\n"
        b"X-Latin: \xe9\r\n"
        b"Authorization: Bearer token-1\r\n"
        b"\r\n"
    )


async def test_nothing_is_added_besides_host_and_token(upstream: Origin) -> None:
    assert await forwarded(upstream, b"GET / HTTP/1.0\r\n\r\n") == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nAuthorization: Bearer token-1\r\n\r\n"
    )


GONE = [
    b"Connection: keep-alive",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authorization: Basic eDp5",
    b"Proxy-Anything: 1",
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    b"Upgrade: h2c",
    b"TE: gzip",
    b"Forwarded: for=1.2.3.4",
    b"X-Forwarded-For: 1.2.3.4",
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Anything: 1",
    b"X-Real-IP: 1.2.3.4",
    b"X-Token-Sidecar: 1",
    b"X-Token-Sidecar-Key: k",
    b"X-Token-Sidecar-Anything: k",
    b"Cookie: a=1",
    b"Authorization: Bearer mine",
    b"AUTHORIZATION: Bearer mine",
    # a CGI or WSGI program behind the upstream can't tell these from the ones above
    b"X_Forwarded_For: 1.2.3.4",
    b"X-Forwarded_For: 1.2.3.4",
    b"X_Real_IP: 1.2.3.4",
    b"Proxy_Authorization: Basic eDp5",
    b"X_Token_Sidecar_Key: k",
    b"Keep_Alive: timeout=5",
    b"HTTP2_Settings: AAAA",
]


@pytest.mark.parametrize("line", GONE)
async def test_a_field_for_this_hop_or_about_it_goes_no_further(
    upstream: Origin, line: bytes
) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"X-Before: 1\r\n" + line + b"\r\nX-After: 2\r\n\r\n"
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nX-Before: 1\r\nX-After: 2\r\n"
        b"Authorization: Bearer token-1\r\n\r\n"
    )


STAYS = [
    b"X-Authorization: mine",
    b"User-Agent: curl/8",
    b"Accept-Encoding: gzip",
    b"Via: 1.1 other",
    b"Max-Forwards: 3",
    b"Date: Sat, 21 Nov 2026 09:00:00 GMT",
    b"Referer: http://localhost/",
    b'If-None-Match: "x"',
    b"Range: bytes=0-1",
    b"X-Forward: 1",
    b"X_Custom: 1",
    b"Priority: u=1",
    b'Warning: 199 - "odd"',
    b"Pragma: no-cache",
    b"Content-Type: ",
    b"Sec-Fetch-Site: none",
]


@pytest.mark.parametrize("line", STAYS)
async def test_any_other_field_passes_as_it_is(upstream: Origin, line: bytes) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n"
    assert line + b"\r\n" in await forwarded(upstream, sent)


@pytest.mark.parametrize(
    "connection",
    [
        b"Connection: x-drop",
        b"Connection: keep-alive, X-Drop",
        b"Connection: ,, x-drop ,",
        b"Connection: keep-alive\r\nConnection: X-DROP",
    ],
)
async def test_what_connection_nominates_goes_no_further(
    upstream: Origin, connection: bytes
) -> None:
    sent = (
        b"GET / HTTP/1.1\r\n"
        + HOST
        + connection
        + b"\r\nX-Drop: 1\r\nX_Drop: 1\r\nX-Keep: 2\r\n\r\n"
    )
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nX-Keep: 2\r\n"
        b"Authorization: Bearer token-1\r\n\r\n"
    )


@pytest.mark.parametrize(
    "connection", [b"authorization", b"close, Authorization", b"host", b"content-length"]
)
async def test_connection_can_neither_remove_the_credential_nor_the_host(
    upstream: Origin, connection: bytes
) -> None:
    sent = b"GET / HTTP/1.1\r\nConnection: " + connection + b"\r\n" + HOST + b"\r\n"
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nAuthorization: Bearer token-1\r\n\r\n"
    )


async def test_connection_can_not_remove_the_framing_of_a_body(upstream: Origin) -> None:
    sent = (
        b"POST / HTTP/1.1\r\nConnection: content-length\r\n"
        + HOST
        + b"Content-Length: 3\r\n\r\nabc"
    )
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(sent)
        wire, request = await upstream.request()
        assert request.body == b"abc"
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_connection_can_not_remove_an_injected_field_of_another_name(
    upstream: Origin,
) -> None:
    sent = b"GET / HTTP/1.1\r\nConnection: X-Api-Key\r\nX-Api-Key: mine\r\n" + HOST + b"\r\n"
    head = await forwarded(upstream, sent, header="X-Api-Key", scheme="")
    assert head.count(b"X-Api-Key") == 1
    assert b"X-Api-Key: token-1\r\n" in head


AUTHORIZATIONS = [
    b"",
    b"Authorization:\r\n",
    b"Authorization: \r\n",
    b"Authorization: Bearer\r\n",
    b"Authorization: nonsense-without-a-scheme\r\n",
    b"Authorization: Basic eDp5\r\n",
    b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
    b"authorization: Bearer a\r\nX-Between: 1\r\nAUTHORIZATION: Digest x=y\r\n",
    b"Authorization: Bearer a, Bearer b\r\n",
    b"Authorization: \xff\xfe\r\n",
]


@pytest.mark.parametrize("sent", AUTHORIZATIONS)
@pytest.mark.parametrize(
    ("header", "scheme", "expected"),
    [
        ("Authorization", "Bearer", b"Authorization: Bearer token-1\r\n"),
        ("Authorization", "", b"Authorization: token-1\r\n"),
        ("Authorization", "Token", b"Authorization: Token token-1\r\n"),
        ("X-Api-Key", "", b"X-Api-Key: token-1\r\n"),
        ("api_key", "", b"api_key: token-1\r\n"),
    ],
)
async def test_whatever_the_client_authorizes_itself_with_exactly_one_credential_goes_out(
    upstream: Origin, sent: bytes, header: str, scheme: str, expected: bytes
) -> None:
    request = (
        b"GET / HTTP/1.1\r\n" + HOST + sent + b"X-Api-Key: x\r\nX_Api_Key: y\r\nApi-Key: z\r\n\r\n"
    )
    head = await forwarded(upstream, request, header=header, scheme=scheme)
    assert expected in head
    assert head.lower().count(b"\r\nauthorization:") == (header == "Authorization")
    if header == "X-Api-Key":
        assert head.lower().replace(b"_", b"-").count(b"x-api-key") == 1
    if header == "api_key":
        assert head.lower().replace(b"_", b"-").count(b"\r\napi-key") == 1


async def test_without_a_credential_the_clients_own_authorization_passes(upstream: Origin) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: Bearer mine\r\n\r\n"
    head = await forwarded(upstream, sent, credential=None)
    assert head == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nAuthorization: Bearer mine\r\n\r\n"
    )


async def test_with_cookies_true_the_clients_cookies_pass(upstream: Origin) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: a=1; b=2\r\n\r\n"
    assert b"\r\nCookie: a=1; b=2\r\n" in await forwarded(upstream, sent, cookies=True)


@pytest.mark.parametrize("te", [b"trailers", b"gzip, Trailers", b"trailers;q=1, trailers"])
async def test_a_wish_for_trailers_is_sent_anew(upstream: Origin, te: bytes) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"TE: " + te + b"\r\nConnection: TE\r\n\r\n"
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\n"
        b"Connection: TE\r\nTE: trailers\r\nAuthorization: Bearer token-1\r\n\r\n"
    )


@pytest.mark.parametrize("method", [b"GET", b"PURGE", b"PROPFIND", b"M-SEARCH", b"get", b"!#$"])
async def test_any_method_that_is_a_token_passes(upstream: Origin, method: bytes) -> None:
    assert (await forwarded(upstream, method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")).startswith(
        method + b" / HTTP/1.1\r\n"
    )


@pytest.mark.parametrize(
    ("path", "upstream_path", "sent", "expected"),
    [
        ("/a/", "/v1/", b"/a", b"/v1/"),
        ("/a/", "/v1/", b"/%61/x", b"/v1/x"),
        ("/a/", "/v1/", b"/a/x//y;z=1", b"/v1/x//y;z=1"),
        ("/", "/", b"/anything?", b"/anything?"),
        ("/", "/", b"http://LOCALHOST/x?y", b"/x?y"),
        ("/", "/", b"http://localhost?y", b"/?y"),
    ],
)
async def test_the_target_is_mapped_and_nothing_in_it_rewritten(
    upstream: Origin, path: str, upstream_path: str, sent: bytes, expected: bytes
) -> None:
    request = b"GET " + sent + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    head = await forwarded(upstream, request, path=path, upstream_path=upstream_path)
    assert head.split(b" ")[1] == expected


RESPONSE = (
    b"HTTP/1.1 299 Strange  Word\xe9\r\n"
    b"sErVer: x\r\n"
    b"Set-Cookie: a=1\r\n"
    b"Keep-Alive: timeout=5\r\n"
    b"Connection: keep-alive, X-Hop\r\n"
    b"X-Hop: 1\r\n"
    b"Proxy-Authenticate: Basic\r\n"
    b"Set-Cookie: b=2\r\n"
    b"Location: https://upstream.example/elsewhere\r\n"
    b"X-Forwarded-For: kept\r\n"
    b"Via: 1.1 x\r\n"
    b"Content-Encoding: gzip\r\n"
    b"Content-Length: 3\r\n"
    b"X-Odd:  kept \r\n"
    b"\r\n"
    b"\x1f\x8b\x08"
)


async def test_the_answer_is_the_upstreams_without_its_hop_by_hop_fields(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(RESPONSE)
        assert await client.rest() == (
            b"HTTP/1.1 299 Strange  Word\xe9\r\n"
            b"sErVer: x\r\n"
            b"Set-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\n"
            b"Location: https://upstream.example/elsewhere\r\n"
            b"X-Forwarded-For: kept\r\n"
            b"Via: 1.1 x\r\n"
            b"Content-Encoding: gzip\r\n"
            b"Content-Length: 3\r\n"
            b"X-Odd:  kept \r\n"
            b"Connection: close\r\n"
            b"\r\n"
            b"\x1f\x8b\x08"
        )


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 407, 429, 500, 503, 599, 999])
async def test_any_status_is_passed_on(upstream: Origin, status: int) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 %d\r\nContent-Length: 0\r\n\r\n" % status)
        assert (await client.head()).start == b"HTTP/1.1 %d " % status


async def test_a_finished_exchange_is_told_with_its_sizes_and_no_secret(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            b"PUT /x?secret=1 HTTP/1.1\r\n", HOST, b"Content-Length: 3\r\n\r\nabc"
        )
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        record = await served.record()
        assert (record.method, record.route, record.status) == ("PUT", "/", 200)
        assert (record.bytes_in, record.bytes_out) == (3, 2)
        assert (record.credential, record.generation) == ("token", 1)
        assert (record.error, record.replayed, record.client) == (None, False, None)
        assert "secret" not in repr(record)
        assert "token-1" not in repr(record)
        totals = served.plane.totals["/"]
        assert (totals.requests, totals.bytes_in, totals.bytes_out) == ({200: 1}, 3, 2)
        assert (totals.in_flight, sum(totals.buckets)) == (0, 1)
