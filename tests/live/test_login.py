"""A person logs in with a real Chromium at a real Keycloak and a real Dex."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from selenium.webdriver import Chrome

from tests.live.admin import Administrator
from tests.live.dex import Client, DexSetup, dex
from tests.live.keycloak import Keycloak
from tests.live.logging_in import Installed, Window
from tests.live.tenants import MARY, MARYS_PASSWORD
from tests.support.person import sent_with
from tests.support.process import free_port, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

REALM = "persons"
ELSEWHERE = "https://seldon.invalid/seldon-deploy/auth/callback"
IN = "you are logged in"
PERSONAL: dict[str, Any] = {
    "publicClient": True,
    "standardFlowEnabled": True,
    "serviceAccountsEnabled": False,
    "directAccessGrantsEnabled": False,
    "consentRequired": True,
    "redirectUris": ["http://127.0.0.1/*", ELSEWHERE],
    "attributes": {"pkce.code.challenge.method": "S256"},
}
BY_DEVICE = {"attributes": {"oauth2.device.authorization.grant.enabled": "true"}}
"""Without PKCE, which RFC 8628 does not know: Keycloak would want it here too."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def issuer(keycloak: Keycloak, http: aiohttp.ClientSession) -> str:
    """A realm where Mary may use a public client that wants PKCE and her consent."""
    administrator = Administrator(keycloak, http)
    await administrator.realm(REALM, revokeRefreshToken=True)
    await administrator.register(REALM, {"clientId": "person", **PERSONAL})
    await administrator.register(REALM, {"clientId": "device", **PERSONAL, **BY_DEVICE})
    await administrator.user(REALM, MARY, MARYS_PASSWORD)
    return f"{keycloak.base}/realms/{REALM}"


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets in it."""
    with tempfile.TemporaryDirectory(prefix="sidecar-") as directory:
        yield Path(directory)


@pytest.fixture
def window(chromium: Chrome) -> Window:
    """A browser that knows nobody yet."""
    return Window(chromium)


@pytest.fixture
def at_keycloak(home: Path, issuer: str) -> Installed:
    """Grant authorization_code at Keycloak."""
    keys = {
        "grant": "authorization_code",
        "issuer": issuer,
        "client_id": "person",
        "scope": "openid email",
        "params": {"prompt": "consent"},  # or Keycloak remembers it over all of these tests
    }
    return Installed(home, keys, f"{issuer}/protocol/openid-connect/userinfo")


async def knows_mary(installed: Installed) -> None:
    """The sidecar serves with what the login left, and the provider takes it as Mary's."""
    async with installed.serving():
        status, text = await installed.ask()
    assert (status, MARY in text) == (200, True), text


async def test_chromium_logs_in_at_keycloak(at_keycloak: Installed, window: Window) -> None:
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await window.shows(IN)
        done = await person.ended()
    assert (done.code, "renews by itself" in done.out) == (0, True), done.err
    await knows_mary(at_keycloak)
    done = await at_keycloak.logout()
    assert "revoked and forgotten: refresh_token" in done.out, done.err
    async with at_keycloak.serving():
        status, text = await at_keycloak.ask()
    assert (status, "token-sidecar login mine" in text) == (503, True)


async def test_a_person_who_says_no_at_keycloak_is_heard(
    at_keycloak: Installed, window: Window
) -> None:
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=cancel]")
        await window.shows("you are not logged in")
        done = await person.ended()
    assert done.code == 3
    assert "access_denied" in done.err
    assert "log in again and accept" in done.err


async def test_a_fixed_redirect_is_pasted_from_chromium(
    at_keycloak: Installed, window: Window
) -> None:
    at_keycloak.keys["redirect_uri"] = ELSEWHERE
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await person.paste(await window.arrives(ELSEWHERE))
        assert (await person.ended()).code == 0, person.err
    await knows_mary(at_keycloak)


async def test_a_bare_code_is_pasted_too(at_keycloak: Installed, window: Window) -> None:
    at_keycloak.keys.update(redirect_uri=ELSEWHERE, paste=True)
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await person.paste(sent_with(await window.arrives(ELSEWHERE))["code"])
        assert (await person.ended()).code == 0, person.err


async def test_chromium_lets_a_device_in_at_keycloak(
    at_keycloak: Installed, window: Window
) -> None:
    at_keycloak.keys.update(grant="device_code", client_id="device")
    async with at_keycloak.login() as person:
        await person.says("enter the code")
        code = re.search(r"\n  ([A-Z]{4}-[A-Z]{4})\n", person.err)
        assert code is not None, person.err
        await window.go(f"{await person.address()}?user_code={code[1]}")
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await window.shows("Device Login Successful")
        assert (await person.ended(60)).code == 0, person.err
    await knows_mary(at_keycloak)


async def test_a_device_that_is_denied_at_keycloak_is_told(
    at_keycloak: Installed, window: Window
) -> None:
    at_keycloak.keys.update(grant="device_code", client_id="device")
    async with at_keycloak.login() as person:
        await person.says("enter the code")
        code = re.search(r"\n  ([A-Z]{4}-[A-Z]{4})\n", person.err)
        assert code is not None, person.err
        await window.go(f"{await person.address()}?user_code={code[1]}")
        await window.sign_in("username", "password")
        await window.click("[name=cancel]")
        done = await person.ended(60)
    assert (done.code, "denied" in done.err) == (3, True), done.err


async def test_chromium_logs_in_at_dex_and_approves(work: Path, home: Path, window: Window) -> None:
    port = free_port()
    place = f"http://127.0.0.1:{port}/callback"
    setup = DexSetup((Client("person", (place,)),), approval=True)
    async with dex(setup, work) as server:
        keys = {
            "grant": "authorization_code",
            "issuer": server.issuer,
            "client_id": "person",
            "scope": "openid email offline_access",
            "redirect_port": port,
            "use": "id_token",
        }
        installed = Installed(home, keys, f"{server.issuer}/userinfo")
        async with installed.login() as person:
            await window.go(await person.address())
            await window.sign_in("login", "password")
            await window.click("button.theme-btn--success")
            await window.shows(IN)
            done = await person.ended()
        assert (done.code, done.out.startswith("mine: logged in; id_token")) == (0, True), done.err
        await knows_mary(installed)


HOSTILE = """<!doctype html><title>hostile</title><body>
<script>
const place = new URLSearchParams(location.search).get("place");
const wrong = place + "?code=theirs&state=guessed";
const told = [];
const soon = () => new Promise(done => setTimeout(done, 500));
async function fetches(url) {
  for (const options of [{mode: "cors"}, {mode: "no-cors"},
      {mode: "no-cors", method: "POST", body: "code=theirs"}, {credentials: "include"}]) {
    try {
      const answer = await Promise.race([fetch(url, options), soon()]);
      told.push(answer ? answer.type : "silent");
    } catch (error) { told.push("failed"); }
  }
}
async function loads(url) {
  const frame = document.body.appendChild(document.createElement("iframe"));
  new Image().src = frame.src = url;
  for (const method of ["get", "post"]) {
    const form = document.body.appendChild(document.createElement("form"));
    const target = document.body.appendChild(document.createElement("iframe"));
    target.name = method + told.length;
    Object.assign(form, {method, action: url, target: target.name});
    form.innerHTML = '<input name="state" value="guessed"><input name="code" value="theirs">';
    form.submit();
  }
  await soon();
  try { told.push(frame.contentDocument.body.innerText ? "readable" : "closed"); }
  catch (error) { told.push("closed"); }
}
async function attack() {
  for (const url of [place, wrong, wrong + "&error=access_denied"]) {
    await fetches(url);
    await loads(url);
  }
  document.body.append("attacked: " + told.join(" "));
}
attack();
</script>"""


@contextlib.asynccontextmanager
async def hostile_site() -> AsyncIterator[str]:
    """A web page of somebody else that tries all that a page can."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=HOSTILE, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", serve)
    async with TestServer(application) as server:
        yield f"http://localhost:{server.port}/"


async def test_a_web_page_can_neither_complete_nor_end_nor_read_a_login(
    at_keycloak: Installed, window: Window
) -> None:
    async with hostile_site() as site, at_keycloak.login() as person:
        address = await person.address()
        place = sent_with(address)["redirect_uri"]
        await window.go(f"{site}?place={place}")
        await window.shows("attacked:")
        told = (await window.text()).partition("attacked: ")[2].split()
        assert set(told) <= {"failed", "opaque", "closed", "silent"}, told
        await window.go(f"{place}?code=theirs&state=guessed")
        await window.shows("the login goes on waiting")
        assert person.process.returncode is None
        await window.go(address)
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await window.shows(IN)
        page = await window.do(lambda driver: driver.page_source)
        code = sent_with(await window.do(lambda driver: driver.current_url))["code"]
        assert code not in page
        assert (await person.ended()).code == 0, person.err


async def test_a_stolen_code_is_worth_nothing_at_keycloak(
    at_keycloak: Installed, window: Window, http: aiohttp.ClientSession
) -> None:
    at_keycloak.keys["redirect_uri"] = ELSEWHERE
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        brought = await window.arrives(ELSEWHERE)
        form = {
            "grant_type": "authorization_code",
            "client_id": "person",
            "code": sent_with(brought)["code"],
            "redirect_uri": ELSEWHERE,
        }
        url = f"{at_keycloak.keys['issuer']}/protocol/openid-connect/token"
        async with http.post(url, data=form | {"code_verifier": "t" * 43}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")
        await person.paste(brought)
        done = await person.ended()
    # Keycloak spends the code on the thief's attempt: nobody gets in, and the person is told.
    assert done.code == 3
    assert "used already or has expired" in done.err


async def test_the_same_answer_again_finds_nobody(at_keycloak: Installed, window: Window) -> None:
    async with at_keycloak.login() as person:
        await window.go(await person.address())
        await window.sign_in("username", "password")
        await window.click("[name=accept]")
        await window.shows(IN)
        again = await window.do(lambda driver: driver.current_url)
        assert (await person.ended()).code == 0

    async def refused() -> bool:
        try:
            async with aiohttp.ClientSession() as client, client.get(again):
                return False
        except aiohttp.ClientConnectorError:
            return True

    await until(refused, what="nobody listening any more")
