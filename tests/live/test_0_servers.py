"""First of all: the servers are what the other tests take them for."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.live.admin import Administrator
from tests.live.dex import CALLBACK, Client, DexSetup, dex, password_connector
from tests.live.keycloak import Keycloak
from tests.live.oauth2_proxy import COOKIE, Guard, guard
from tests.live.oidc_provider import client, oidc_provider
from tests.live.tenants import MARY, MARYS_PASSWORD, TOKEN_PATH
from tests.support.certificates import Authority, Pair
from tests.support.upstream import upstream

pytestmark = pytest.mark.asyncio(loop_scope="session")


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies, also those of addresses without a name."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


@contextlib.asynccontextmanager
async def guarded(work: Path) -> AsyncIterator[tuple[Guard, str]]:
    """An API behind oauth2-proxy behind Dex, and Dex's issuer."""
    door = guard()
    async with (
        upstream() as api,
        dex(DexSetup((door.client,)), work) as server,
        door.running(server.issuer, api.url, work, lifetime=60),
    ):
        yield door, server.issuer


async def test_dex_gives_tokens_for_a_password(work: Path) -> None:
    setup = DexSetup(clients=(Client("app", secret="s"),), lifetime=5)
    form = {"grant_type": "password", "username": MARY, "password": MARYS_PASSWORD}
    form |= {"scope": "openid"}
    async with dex(setup, work) as server, browser() as http:
        who = {"Authorization": aiohttp.encode_basic_auth("app", "s")}
        async with http.post(f"{server.issuer}/token", data=form, headers=who) as answer:
            told = await answer.json()
    assert (answer.status, 3 <= told["expires_in"] <= 5) == (200, True)
    assert "id_token" in told


async def test_dex_over_tls_offers_its_connectors(work: Path, authority, shown) -> None:
    connectors = (CALLBACK, password_connector("jane", "pw"))
    setup = DexSetup((Client("app", ("http://localhost/cb",), "s"),), connectors, shown=shown)
    async with dex(setup, work) as server, browser() as http:
        asked = {"client_id": "app", "redirect_uri": "http://localhost/cb", "scope": "openid"}
        asked |= {"response_type": "code"}
        url = f"{server.issuer}/auth"
        async with http.get(url, params=asked, ssl=authority.client_context()) as answer:
            page = await answer.text()
    assert set(re.findall(r'href="/dex/auth/([a-z]+)', page)) == {"local", "mock", "other"}


async def test_oauth2_proxy_lets_in_who_signed_in_at_dex(work: Path) -> None:
    async with guarded(work) as (door, issuer), browser() as http:
        async with http.post(door.url, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith(issuer)
        async with http.get(door.url) as answer:
            assert "/dex/auth/local/login" in str(answer.url)
        form = {"login": MARY, "password": MARYS_PASSWORD}
        async with http.post(answer.url, data=form) as answer:
            assert (answer.status, await answer.text()) == (200, "hello")
        assert COOKIE in {cookie.key for cookie in http.cookie_jar}


async def test_chromium_signs_in_at_dex_behind_the_guard(work: Path, chromium: Chrome) -> None:
    async with guarded(work) as (door, _issuer):
        await asyncio.to_thread(sign_in, chromium, door.url)
        assert chromium.get_cookie(COOKIE)


def sign_in(chromium: Chrome, url: str) -> None:
    chromium.get(url)
    chromium.find_element(By.NAME, "login").send_keys(MARY)
    chromium.find_element(By.NAME, "password").send_keys(MARYS_PASSWORD)
    chromium.find_element(By.TAG_NAME, "form").submit()
    WebDriverWait(chromium, 20).until(lambda shown: "hello" in shown.page_source)


async def test_keycloak_knows_a_client_by_its_certificate(
    keycloak: Keycloak, http: aiohttp.ClientSession, authority: Authority
) -> None:
    await knows_a_certificate(keycloak, http, authority)


async def test_the_old_keycloak_does_so_too(
    old_keycloak: Keycloak, http: aiohttp.ClientSession, authority: Authority
) -> None:
    await knows_a_certificate(old_keycloak, http, authority)


async def knows_a_certificate(
    server: Keycloak, http: aiohttp.ClientSession, authority: Authority
) -> None:
    administrator = Administrator(server, http)
    subject = {"x509.subjectdn": "CN=shown.example"}
    client = {"clientId": "shown", "clientAuthenticatorType": "client-x509", "attributes": subject}
    await administrator.realm("servers")
    await administrator.register("servers", client)
    url = f"{server.secure_base}/realms/servers/{TOKEN_PATH}"
    form = {"grant_type": "client_credentials", "client_id": "shown"}
    for name, status in (("shown.example", 200), ("another.example", 401)):
        context = authority.client_context(authority.issue(name, addresses=()))
        async with http.post(url, data=form, ssl=context) as answer:
            assert (answer.status, name) == (status, name), await answer.text()


async def test_the_strict_provider_knows_clients_by_secret_and_by_certificate(
    work: Path, http: aiohttp.ClientSession, authority: Authority, shown: Pair
) -> None:
    grants = ("client_credentials",)
    clients = (
        client("said", "client_secret_basic", grants=grants, client_secret="s"),
        client(
            "shown",
            "tls_client_auth",
            grants=grants,
            tls_client_auth_subject_dn="CN=shown.example",
        ),
    )
    form = {"grant_type": "client_credentials"}
    async with oidc_provider(clients, work, shown, authority.ca_file) as server:
        who = {"Authorization": aiohttp.encode_basic_auth("said", "s")}
        async with http.post(f"{server.issuer}/token", data=form, headers=who) as answer:
            told = await answer.json()
        assert (answer.status, told["expires_in"]) == (200, 5), told
        async with http.post(
            f"{server.issuer}/token", data=form | {"client_secret": "s"}, headers=who
        ) as answer:
            assert answer.status == 400, "strict about credentials in two places"
        async with http.get(f"{server.issuer}/.well-known/openid-configuration") as answer:
            aliases = (await answer.json())["mtls_endpoint_aliases"]
        context = authority.client_context(authority.issue("shown.example", addresses=()))
        form |= {"client_id": "shown"}
        async with http.post(aliases["token_endpoint"], data=form, ssl=context) as answer:
            assert answer.status == 200, await answer.text()
