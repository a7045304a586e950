"""Through an egress proxy: CONNECT for https, absolute-form for http."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config.model import Egress
from proxy.errors import TokenRequestError
from proxy.message import Request
from proxy.net.carrier import Carrier
from tests.support.certificates import Authority
from tests.support.egress_proxy import egress_proxy
from tests.support.identity_provider import IdentityProvider


def place(provider: IdentityProvider) -> tuple[str, int]:
    host, port = provider.url.split("://")[1].split(":")
    return host, int(port)


def through(url: str, **more: object) -> Carrier:
    return Carrier(clock=SystemClock(), egress=Egress(from_environment=False, url=url), **more)


async def test_https_goes_through_a_tunnel(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.server_context(authority.issue("id.example"))
    async with IdentityProvider(tls=tls) as provider, egress_proxy() as proxy:
        proxy.target = place(provider)
        carrier = through(proxy.url, tls=authority.client_context())
        answer = await carrier.send(
            Request("POST", "https://id.example/realms/test/token", {"Authorization": "canary"})
        )
        await carrier.close()
    assert answer.status == 401
    assert proxy.asked[0].startswith("CONNECT id.example:443 HTTP/1.1\r\n")
    assert "canary" not in proxy.asked[0]


async def test_http_is_forwarded_in_absolute_form() -> None:
    async with IdentityProvider() as provider, egress_proxy() as proxy:
        proxy.target = place(provider)
        carrier = through(proxy.url)
        answer = await carrier.send(Request("POST", "http://id.example/realms/test/token"))
        await carrier.close()
    assert answer.status == 401
    assert proxy.asked[0].startswith("POST http://id.example/realms/test/token HTTP/1.1\r\n")


async def test_the_environment_s_proxy_is_used() -> None:
    async with IdentityProvider() as provider, egress_proxy() as proxy:
        proxy.target = place(provider)
        carrier = Carrier(clock=SystemClock(), environ={"HTTP_PROXY": proxy.url})
        await carrier.send(Request("POST", "http://id.example/realms/test/token"))
        await carrier.send(Request("POST", provider.token_url))
        await carrier.close()
    assert len(proxy.asked) == 1
    assert provider.asked == 2


async def test_the_process_s_own_environment_is_not_consulted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    carrier = Carrier(clock=SystemClock())
    with pytest.raises(TokenRequestError) as caught:
        await carrier.send(Request("POST", "http://nobody.invalid/token"))
    await carrier.close()
    assert caught.value.reason == "dns"


async def test_name_and_password_go_to_the_proxy_and_into_no_message() -> None:
    async with egress_proxy() as proxy:
        proxy.refuse = 407
        carrier = through(proxy.url.replace("http://", "http://mary:canary@"))
        with pytest.raises(TokenRequestError) as caught:
            await carrier.send(Request("POST", "https://id.example/token"))
        await carrier.close()
    assert "Proxy-Authorization: Basic " in proxy.asked[0]
    assert caught.value.reason == "connect"
    assert f"the proxy {proxy.url} answered 407 for https://id.example" in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_proxy_without_address_is_named() -> None:
    carrier = through("http://mary:canary@proxy.invalid:3128")
    with pytest.raises(TokenRequestError) as caught:
        await carrier.send(Request("POST", "https://id.example/token"))
    await carrier.close()
    assert caught.value.reason == "dns"
    assert "http://proxy.invalid:3128" in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_proxy_out_of_reach_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        carrier = through(url)
        with pytest.raises(TokenRequestError) as caught:
            await carrier.send(Request("POST", "https://id.example/token"))
        await carrier.close()
    assert caught.value.reason == "connect"
    assert f"the proxy {url} is out of reach" in str(caught.value)
