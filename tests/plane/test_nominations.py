"""Connection nominates fields for this hop; whatever it names, one credential goes out."""

from __future__ import annotations

import pytest

from tests.support.forwarded import HOST, forwarded
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin


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
