"""The carrier over real sockets: what it sends, what it brings back, where it stops."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from proxy.clock import SystemClock
from proxy.errors import Failure, TokenRequestError
from proxy.message import Request
from proxy.net.carrier import LARGEST, Carrier
from tests.support.identity_provider import IdentityProvider, Reply
from tests.support.raw_server import Speak, raw_server

MIB = 1 << 20


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider() as running:
        yield running


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    made = Carrier(clock=SystemClock())
    yield made
    await made.close()


def post(url: str, body: bytes = b"grant_type=x", **headers: str) -> Request:
    return Request(
        "POST", url, {"Content-Type": "application/x-www-form-urlencoded"} | headers, body
    )


async def fault(carrier: Carrier, url: str) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        await carrier.send(post(url))
    error = caught.value
    assert error.failure is Failure.TRANSIENT
    assert "\n" not in str(error)
    return error


def speaking(*pieces: bytes) -> Speak:
    async def speak(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return speak


def head(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()


async def test_an_answer_comes_back_whole_with_its_moments(
    carrier: Carrier, provider: IdentityProvider
) -> None:
    provider.script.append(Reply(401, b"no", {"X-Odd": "1", "Retry-After": "7"}))
    before = SystemClock().now()
    answer = await carrier.send(post(provider.token_url))
    assert answer.status == 401
    assert answer.body == b"no"
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-odd"] == "1"
    assert before.monotonic <= answer.sent.monotonic <= answer.received.monotonic


async def test_only_what_is_needed_is_sent(carrier: Carrier, provider: IdentityProvider) -> None:
    await carrier.send(post(provider.token_url, Accept="application/json", Authorization="Basic x"))
    sent = {name.lower(): value for name, value in provider.requests[0].headers.items()}
    assert sent.pop("host") == provider.url.removeprefix("http://")
    assert sent == {
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": "Basic x",
        "connection": "close",
        "content-length": "12",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "token-sidecar",
    }


async def test_a_get_sends_no_body(carrier: Carrier, provider: IdentityProvider) -> None:
    url = f"{provider.issuer}/.well-known/openid-configuration"
    assert (await carrier.send(Request("GET", url))).status == 200


async def test_cookies_are_not_kept(carrier: Carrier, provider: IdentityProvider) -> None:
    # By name: a jar would not keep cookies of an address anyway.
    url = provider.token_url.replace("127.0.0.1", "localhost")
    provider.script.append(Reply(200, {}, {"Set-Cookie": "a=b; Path=/"}))
    await carrier.send(post(url))
    await carrier.send(post(url))
    assert "Cookie" not in provider.requests[1].headers


async def test_the_netrc_is_not_read(
    carrier: Carrier, provider: IdentityProvider, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mary password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    await carrier.send(post(provider.token_url))
    assert provider.requests[0].authorization is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    carrier: Carrier, provider: IdentityProvider, status: int
) -> None:
    provider.script.append(Reply(status, b"", {"Location": provider.token_url}))
    assert (await carrier.send(post(provider.token_url))).status == status
    assert provider.asked == 1


async def test_of_repeated_fields_the_first_counts(carrier: Carrier) -> None:
    reply = head("X-A: 1", "x-a: 2", "Content-Length: 2") + b"{}"
    async with raw_server(speaking(reply)) as url:
        assert (await carrier.send(post(url))).headers["x-a"] == "1"


async def test_a_compressed_answer_is_read(carrier: Carrier) -> None:
    body = gzip.compress(b'{"a": 1}')
    reply = head("Content-Encoding: gzip", f"Content-Length: {len(body)}") + body
    async with raw_server(speaking(reply)) as url:
        assert (await carrier.send(post(url))).body == b'{"a": 1}'


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_hundred_mebibytes_are_broken_off_early(carrier: Carrier, framing: str) -> None:
    sent = 0

    async def speak(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        fields = {"length": [f"Content-Length: {100 * MIB}"], "close": []}
        writer.write(head(*fields.get(framing, ["Transfer-Encoding: chunked"])))
        piece = bytes(MIB)
        for _ in range(100):
            writer.write(b"100000\r\n" + piece + b"\r\n" if framing == "chunked" else piece)
            await writer.drain()
            sent += MIB

    async with raw_server(speak) as url:
        error = await fault(carrier, url)
    assert error.reason == "too_large"
    assert sent < 20 * MIB


async def test_an_answer_of_exactly_the_limit_passes_and_one_byte_more_does_not(
    carrier: Carrier,
) -> None:
    async with raw_server(speaking(head(), bytes(LARGEST))) as url:
        assert len((await carrier.send(post(url))).body) == LARGEST
    async with raw_server(speaking(head(), bytes(LARGEST + 1))) as url:
        assert (await fault(carrier, url)).reason == "too_large"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_goes_off_in_small_pieces(carrier: Carrier, coding: str) -> None:
    zeros = bytes(200 * MIB)
    bomb = gzip.compress(zeros, 9) if coding == "gzip" else zlib.compress(zeros, 9)
    del zeros
    reply = head(f"Content-Encoding: {coding}", f"Content-Length: {len(bomb)}") + bomb
    assert len(bomb) < LARGEST
    tracemalloc.start()
    try:
        async with raw_server(speaking(reply)) as url:
            error = await fault(carrier, url)
        assert error.reason == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        head("Content-Length: 10") + b"half",
        head("Transfer-Encoding: chunked") + b"zz\r\n",
        head("Content-Encoding: gzip", "Content-Length: 4") + b"none",
        head("Content-Encoding: br", "Content-Length: 4") + b"none",
        head("X: " + "x" * 100_000),
    ],
)
async def test_an_exchange_that_breaks_off_is_a_network_fault(
    carrier: Carrier, reply: bytes
) -> None:
    async with raw_server(speaking(reply)) as url:
        error = await fault(carrier, url + "/realm?client=canary")
        assert error.reason == "network"
        assert url in str(error)
        assert "canary" not in str(error)


async def test_a_provider_that_cuts_the_connection_is_asked_once(
    carrier: Carrier, provider: IdentityProvider
) -> None:
    provider.otherwise = Reply(close=True)
    assert (await fault(carrier, provider.token_url)).reason == "network"
    assert provider.asked == 1


async def test_a_provider_that_never_answers_runs_into_the_timeout(
    provider: IdentityProvider,
) -> None:
    provider.otherwise = Reply(hang=True)
    carrier = Carrier(clock=SystemClock(), longest=0.05)
    error = await fault(carrier, provider.token_url)
    assert error.reason == "timeout"
    assert "within 0.05 s" in str(error)
    await carrier.close()


async def test_a_provider_that_drips_runs_into_the_timeout() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.005)

    carrier = Carrier(clock=SystemClock(), longest=0.1)
    async with raw_server(drip) as url:
        assert (await fault(carrier, url)).reason == "timeout"
    await carrier.close()


async def test_a_closed_port_is_named(carrier: Carrier) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = await fault(carrier, url + "/token?secret=canary")
    assert error.reason == "connect"
    assert url in str(error)
    assert "refused" in str(error)
    assert "canary" not in str(error)


async def test_an_unknown_name_is_a_matter_of_dns(carrier: Carrier) -> None:
    error = await fault(carrier, "https://mary:canary@nobody.invalid:8443/t")
    assert error.reason == "dns"
    assert "https://nobody.invalid:8443" in str(error)
    assert "canary" not in str(error)


async def test_no_cause_hangs_on_that_could_show_the_request(carrier: Carrier) -> None:
    error = await fault(carrier, "https://nobody.invalid/t")
    assert error.__cause__ is None
    assert error.__suppress_context__


async def test_a_carrier_can_be_closed_and_used_again(
    carrier: Carrier, provider: IdentityProvider
) -> None:
    await carrier.send(post(provider.token_url))
    await carrier.close()
    await carrier.send(post(provider.token_url))
    assert provider.asked == 2
