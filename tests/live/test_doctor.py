"""The doctor at set-ups that are really broken: it names the true cause, and the table says so."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.oauth.jwt import claims
from tests.live.admin import Administrator
from tests.live.broken import DEX_CLIENT, ENVIRON, REALM, SECRET, SETUPS, WRONG, Broken
from tests.live.dex import Client, DexSetup, dex
from tests.live.keycloak import Keycloak
from tests.live.oauth2_proxy import Guard
from tests.live.report import Report
from tests.live.tenants import MARY, MARYS_PASSWORD
from tests.support.certificates import Authority, self_signed
from tests.support.process import command, free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")

TABLE = Path(__file__).parents[2] / "docs/doctor.md"
Places = dict[str, str]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def realm(keycloak: Keycloak, http: aiohttp.ClientSession) -> str:
    """A realm whose clients and users lack something each."""
    administrator = Administrator(keycloak, http)
    await administrator.realm(REALM)
    await administrator.realm("asleep", enabled=False)
    for name, lacking in {
        "good": {},
        "no-service-account": {"serviceAccountsEnabled": False},
        "no-direct-grants": {"directAccessGrantsEnabled": False},
        "public": {"publicClient": True, "serviceAccountsEnabled": False},
        "signed": {"clientAuthenticatorType": "client-jwt"},
    }.items():
        await administrator.register(REALM, {"clientId": name, "secret": SECRET} | lacking)
    temporary = {"type": "password", "value": MARYS_PASSWORD, "temporary": True}
    await administrator.user(REALM, MARY, MARYS_PASSWORD)
    await administrator.user(REALM, "gone@example.com", MARYS_PASSWORD, enabled=False)
    await administrator.user(REALM, "new@example.com", MARYS_PASSWORD, credentials=[temporary])
    return f"{keycloak.base}/realms/{REALM}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def places(
    keycloak: Keycloak, realm: str, authority: Authority, work: Path
) -> AsyncIterator[Places]:
    """Every server that a set-up names, running."""
    (work / "other").mkdir()
    (work / "certificates").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        found = {
            "realm": realm,
            "keycloak": keycloak.base,
            "keycloak_root": keycloak.base.removesuffix("/auth"),
            "secure": keycloak.secure_base,
            "plain_as_tls": keycloak.base.replace("http:", "https:"),
            "userinfo": f"{realm}/protocol/openid-connect/userinfo",
            "admin": f"{keycloak.base}/admin/realms/{REALM}/users",
            "ca_file": str(authority.ca_file),
            "other_ca_file": str(Authority(work / "other").ca_file),
            "nobody": str(free_port()),
        }
        found |= await _dexes(stack, authority, work)
        found |= await _apis(stack)
        found["guarded"] = await _guard(stack, work, found["public"])
        yield found


async def _dexes(stack: contextlib.AsyncExitStack, authority: Authority, work: Path) -> Places:
    """One that is well, and some whose certificates are not."""
    app = Client(DEX_CLIENT, secret=SECRET)
    plain = await stack.enter_async_context(dex(DexSetup((app,)), work))
    found = {"dex": plain.issuer, "dex_by_name": plain.issuer.replace("127.0.0.1", "localhost")}
    for name, pair in {
        "expired": authority.issue("expired.example", ends=dt.timedelta(days=-1)),
        "misnamed": authority.issue("dex.example.com", addresses=()),
        "self_signed": self_signed(work / "certificates"),
    }.items():
        server = await stack.enter_async_context(dex(DexSetup((app,), shown=pair), work))
        found[name] = server.issuer
    # The file that is named after localhost is the other servers'.
    found["expired"] = found["expired"].replace("localhost", "127.0.0.1")
    demanding = authority.server_context(authority.issue("demanding"), ask_client=True)
    found["demanding"] = await _serve(stack, lambda _: web.Response(), demanding)
    return found


async def _apis(stack: contextlib.AsyncExitStack) -> Places:
    """APIs that believe tokens of one kind alone."""

    def judged(fits: Callable[[dict[str, Any]], bool], status: int, words: str) -> Any:
        def answer(request: web.Request) -> web.Response:
            said = dict(claims(request.headers.get("Authorization", "").partition(" ")[2]) or {})
            if said and fits(said):
                return web.Response(text="fine")
            return web.Response(status=status if said else 401, text=words)

        return answer

    judges = {
        "id_tokens_only": judged(lambda said: said.get("typ") == "ID", 401, ""),
        "own_audience": judged(
            lambda said: "inventory" in said.get("aud", ()), 403, "Audiences in Jwt are not allowed"
        ),
        "nobody_believed": judged(lambda _: False, 401, ""),
        "public": lambda _: web.Response(text="for all"),
    }
    return {name: await _serve(stack, judge) for name, judge in judges.items()}


async def _serve(
    stack: contextlib.AsyncExitStack, judge: Any, tls: ssl.SSLContext | None = None
) -> str:
    async def answer(request: web.Request) -> web.Response:
        response: web.Response = judge(request)
        return response

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server(ssl=tls)
    stack.push_async_callback(server.close)
    return f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"


async def _guard(stack: contextlib.AsyncExitStack, work: Path, upstream: str) -> str:
    """An oauth2-proxy with a Dex of its own, as in Kubeflow's ingress."""
    guard = Guard(free_port())
    own = await stack.enter_async_context(dex(DexSetup((guard.client,)), work))
    await stack.enter_async_context(guard.running(own.issuer, upstream, work, lifetime=600))
    return guard.url


def filled(value: Any, places: Places) -> Any:
    """The same with every place filled in."""
    if isinstance(value, dict):
        return {key: filled(one, places) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    return value.format_map(places) if isinstance(value, str) else value


def rows() -> dict[str, tuple[str, str]]:
    """The table of the documentation: set-up → cause, and what the doctor says."""
    found = re.findall(r"^\| (.+?) \| `(\w+)` \| (.+?) \|$", TABLE.read_text(), re.MULTILINE)
    return {name: (cause, said) for name, cause, said in found}


@pytest.mark.parametrize("broken", SETUPS, ids=lambda one: one.name)
async def test_the_true_cause_is_named(
    places: Places, tmp_path: Path, report: Report, broken: Broken
) -> None:
    route = {"path": "/", "upstream": "{public}", "credential": "api"} | broken.route
    whole = {
        "listen": "unix:s",
        "admin": "off",
        "credentials": {"api": broken.credential},
        "routes": [route],
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(filled(whole, places)))
    arguments = ("doctor", "api", "--json", "--config", str(file))
    environ = ENVIRON | broken.environ
    finished = await command(*arguments, home=tmp_path, environ=environ, deadline=60)
    told = json.loads(finished.out)
    found = [one for one in told["findings"] if one["state"] == broken.state and one["cause"]]
    report.row("doctor", set_up=broken.name, names=[one["cause"] for one in found])
    assert [one["cause"] for one in found] == [broken.cause], finished.out
    assert finished.code == broken.code
    assert rows()[broken.name][1] in found[0]["told"]
    assert found[0]["advice"]
    for secret in (SECRET, WRONG, MARYS_PASSWORD, "eyJ"):
        assert secret not in finished.out + finished.err


async def test_the_table_has_every_set_up_and_no_other() -> None:
    assert {name: cause for name, (cause, _) in rows().items()} == {
        one.name: one.cause for one in SETUPS
    }


async def test_nothing_is_wrong_where_nothing_is_broken(places: Places, tmp_path: Path) -> None:
    well = replace(SETUPS[0], environ={}).credential | {"scope": "openid"}
    route = {"path": "/", "upstream": "{userinfo}", "credential": "api"}
    whole = {"listen": "unix:s", "admin": "off", "credentials": {"api": well}, "routes": [route]}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(filled(whole, places)))
    finished = await command("doctor", "--config", str(file), home=tmp_path, environ=ENVIRON)
    assert finished.code == 0, finished.out
    assert "nothing is wrong" in finished.out
    assert "API takes it: yes" in finished.out


@pytest.mark.parametrize(("password", "code"), [(MARYS_PASSWORD, 0), (WRONG, 3)])
async def test_a_session_is_looked_at_too(
    places: Places, tmp_path: Path, password: str, code: int
) -> None:
    session = {"grant": "session", "url": "{guarded}", "username": MARY}
    session |= {"password": {"env": "PASSWORD"}}
    route = {"path": "/", "upstream": "{guarded}", "credential": "api"}
    whole = {"listen": "unix:s", "admin": "off", "credentials": {"api": session}, "routes": [route]}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(filled(whole, places)))
    environ = {"PASSWORD": password}
    finished = await command("doctor", "--config", str(file), home=tmp_path, environ=environ)
    assert finished.code == code, finished.out
    assert ("a session with the cookies" in finished.out) is (code == 0)
    assert password not in finished.out
