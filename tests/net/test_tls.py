"""TLS to a provider: whom the carrier trusts, what it shows, how it explains a refusal."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.errors import Failure, TokenRequestError
from proxy.message import Request
from proxy.net.carrier import Carrier
from tests.support.certificates import Authority
from tests.support.identity_provider import IdentityProvider


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def carrying(tls: ssl.SSLContext | None) -> AsyncIterator[Carrier]:
    carrier = Carrier(clock=SystemClock(), tls=tls)
    try:
        yield carrier
    finally:
        await carrier.close()


async def refused(provider: IdentityProvider, tls: ssl.SSLContext | None) -> str:
    async with carrying(tls) as carrier:
        with pytest.raises(TokenRequestError) as caught:
            await carrier.send(Request("POST", provider.token_url + "?canary"))
    assert caught.value.failure is Failure.TRANSIENT
    assert caught.value.reason == "tls"
    message = str(caught.value)
    assert provider.url in message
    assert "canary" not in message
    assert "\n" not in message
    return message


async def test_a_certificate_of_a_trusted_authority_is_accepted(authority: Authority) -> None:
    async with (
        IdentityProvider(tls=authority.server_context(authority.issue())) as provider,
        carrying(authority.client_context()) as carrier,
    ):
        assert (await carrier.send(Request("POST", provider.token_url))).status == 401


async def test_an_untrusted_certificate_says_to_set_ca_file(authority: Authority) -> None:
    async with IdentityProvider(tls=authority.server_context(authority.issue())) as provider:
        assert "set tls.ca_file" in await refused(provider, None)


async def test_a_certificate_for_another_name_says_so(authority: Authority) -> None:
    pair = authority.issue("other.example", addresses=())
    async with IdentityProvider(tls=authority.server_context(pair)) as provider:
        message = await refused(provider, authority.client_context())
    assert "use the name it was made for" in message


async def test_a_certificate_that_has_ended_says_so(authority: Authority) -> None:
    pair = authority.issue(ends=-dt.timedelta(days=1))
    async with IdentityProvider(tls=authority.server_context(pair)) as provider:
        message = await refused(provider, authority.client_context())
    assert "it has to be renewed" in message


async def test_a_client_certificate_is_shown(authority: Authority) -> None:
    server = authority.server_context(authority.issue(), ask_client=True)
    client = authority.client_context(authority.issue("client.example"))
    async with IdentityProvider(tls=server) as provider, carrying(client) as carrier:
        assert (await carrier.send(Request("POST", provider.token_url))).status == 401


async def test_a_server_that_speaks_no_tls_is_explained(authority: Authority) -> None:
    async with IdentityProvider() as provider, carrying(authority.client_context()) as carrier:
        with pytest.raises(TokenRequestError) as caught:
            await carrier.send(Request("POST", provider.token_url.replace("http:", "https:")))
    assert caught.value.reason == "tls"
