"""Sessions of web applications: the sidecar before oauth2-proxy before an upstream, with Dex and
Keycloak signing people in.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.live.admin import Administrator
from tests.live.dex import DexSetup, dex, password_connector
from tests.live.keycloak import Keycloak
from tests.live.oauth2_proxy import CLIENT_ID, CLIENT_SECRET, COOKIE, Guard, guard
from tests.live.report import Report
from tests.live.sidecar import Installation, install
from tests.live.tenants import MARY, MARYS_PASSWORD
from tests.support.process import Sidecar

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIFETIME = 10
"""Seconds that the sessions of the long run live."""
CLIENTS = 8
PAUSE = 0.02
JOE, JOES_PASSWORD = "joe", "joe's own"


@dataclass(slots=True)
class Seen:
    """What the upstream was asked, by path, and with which credentials."""

    paths: Counter[str] = field(default_factory=Counter)
    cookies: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


@contextlib.asynccontextmanager
async def application() -> AsyncIterator[tuple[str, Seen]]:
    """Answers pages below ``/page`` and JSON elsewhere, sets cookies, tells what it got."""
    seen = Seen()

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        seen.paths[request.path] += 1
        seen.cookies |= set(request.cookies)
        seen.people.add(request.headers.get("X-Forwarded-Email", ""))
        digest = hashlib.sha256(body).hexdigest()
        if request.path.startswith("/page"):
            return web.Response(text=f"<title>{digest}</title>", content_type="text/html")
        return web.json_response({"sha256": digest, "path": request.raw_path})

    server = web.Application(client_max_size=1 << 30)
    server.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", seen
    finally:
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Place:
    """A guarded application; ``logins`` counts what its Dex wrote."""

    door: Guard
    seen: Seen
    log: Path

    @property
    def logins(self) -> int:
        return self.log.read_text().count("login successful")


@contextlib.asynccontextmanager
async def guarded(
    work: Path, *, lifetime: float = 60, more: tuple[str, ...] = (), **setup: Any
) -> AsyncIterator[Place]:
    """An application behind oauth2-proxy behind a Dex with this setup."""
    door = guard()
    async with (
        application() as (url, seen),
        dex(DexSetup((door.client,), **setup), work) as server,
        door.running(server.issuer, url, work, lifetime=lifetime, more=more),
    ):
        yield Place(door, seen, work / f"dex-{server.port}.log")


def signing_in(home: Path, door: Guard, store: Any = "memory", **keys: Any) -> Installation:
    """A sidecar that signs in as Mary at this door, Kubeflow's unless ``keys`` have a grant."""
    person = {"url": door.url, "username": MARY, "password": {"env": "PASSWORD"}}
    credential = ({} if "grant" in keys else {"preset": "kubeflow"}) | person | keys
    whole = {
        "credentials": {"app": credential},
        "routes": [{"path": "/", "upstream": door.url, "credential": "app"}],
        "store": store,
    }
    return install(home, whole, {"PASSWORD": MARYS_PASSWORD})


async def status(sidecar: Sidecar) -> Mapping[str, Any]:
    """The credential's status."""
    told = json.loads((await sidecar.ask("/v1/status")).text)
    return dict(told["credentials"]["app"])


@dataclass(slots=True)
class Tally:
    """What programs got: ``wrong`` tells each answer that is not what it should be."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)


CALLS = (
    ("GET", "/api/models", b""),
    ("GET", "/page/models", b""),
    ("POST", "/api/infer?a=%2A", json.dumps([[0.5] * 29] * 40).encode()),
    ("POST", "/page/form", b"x" * 100_000),
)


async def program(base: str, end: Callable[[], bool], tally: Tally) -> None:
    """Asks in turn, follows no redirect and keeps no cookie."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for method, target, body in itertools.cycle(CALLS):
            if end():
                return
            await asyncio.sleep(PAUSE)
            tally.answers += 1
            try:
                async with http.request(
                    method, base + target, data=body, allow_redirects=False
                ) as answer:
                    text = await answer.text()
            except aiohttp.ClientError as error:
                tally.wrong.append(f"{target}: {type(error).__name__}: {error}")
                continue
            if answer.status != 200 or hashlib.sha256(body).hexdigest() not in text:
                tally.wrong.append(f"{target}: {answer.status} {text[:100]}")
            if "Set-Cookie" in answer.headers:
                tally.wrong.append(f"{target}: the session's cookie came through")


async def run(base: str, seconds: float) -> Tally:
    """Several programs for so long."""
    tally, until = Tally(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(program(base, lambda: time.monotonic() > until, tally))
    return tally


async def test_sessions_of_ten_seconds_fail_no_request_and_cost_one_login_each(
    work: Path, tmp_path: Path, seconds: float, report: Report
) -> None:
    async with guarded(work, lifetime=LIFETIME) as place:
        installation = signing_in(tmp_path / "home", place.door)
        started = time.monotonic()
        async with installation.running() as sidecar:
            tally = await run(installation.base, seconds)
            told = await status(sidecar)
            elapsed = time.monotonic() - started
            logins = place.logins
    report.row(
        f"Sessions: {CLIENTS} programs, {seconds:.0f} s, sessions of {LIFETIME} s",
        answers=tally.answers,
        failed=len(tally.wrong),
        logins_at_Dex=logins,
        sessions=told["generation"],
        ended_early=told["rejections"],
        allowed=f"{elapsed / (0.6 * LIFETIME) + 2:.1f}",
    )
    assert tally.wrong == []
    assert tally.answers > seconds * CLIENTS
    assert told["rejections"] == 0
    assert told["generation"] == told["token_requests"] == logins
    assert logins <= elapsed / (0.6 * LIFETIME) + 2
    assert logins >= elapsed / LIFETIME
    assert place.seen.people == {MARY}


async def asks(http: aiohttp.ClientSession, installation: Installation, target: str) -> str:
    """A program's request that must be answered by the application."""
    url = installation.base + target
    async with http.post(url, data=b"body", allow_redirects=False) as answer:
        text = await answer.text()
    assert answer.status == 200, text
    assert hashlib.sha256(b"body").hexdigest() in text
    return text


async def test_a_guard_that_forgets_every_session_fails_no_request(
    work: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    door = guard()
    installation = signing_in(tmp_path / "home", door)
    forgotten = ("--cookie-secret=fedcba9876543210fedcba9876543210",)
    async with (
        application() as (url, _),
        dex(DexSetup((door.client,)), work) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        async with door.running(server.issuer, url, work, lifetime=3600):
            sidecar = await stack.enter_async_context(installation.running())
            await asks(http, installation, "/api/1")
            await asyncio.sleep(3)  # younger sessions teach nothing
        async with door.running(server.issuer, url, work, lifetime=3600, more=forgotten):
            await asks(http, installation, "/api/2")
            told = await status(sidecar)
        log = (work / f"dex-{server.port}.log").read_text()
    assert (told["generation"], told["rejections"]) == (2, 1)
    assert log.count("login successful") == 2
    assert 3 <= told["lifetime_seconds"] < 60


async def test_a_stored_session_outlives_the_process(
    work: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    (tmp_path / "key").write_bytes(base64.b64encode(bytes(range(32))))
    (tmp_path / "key").chmod(0o600)
    store = {"file": "tokens", "encryption_key": {"file": str(tmp_path / "key")}}
    async with guarded(work) as place:
        installation = signing_in(tmp_path / "home", place.door, store)
        for _ in range(2):
            async with installation.running():
                await asks(http, installation, "/api/1")
        assert place.logins == 1


@pytest.mark.parametrize(
    ("setup", "keys"),
    [
        ({"approval": True}, {}),
        ({"connectors": (password_connector(JOE, JOES_PASSWORD),)}, {"connector": "local"}),
        (
            {"connectors": (password_connector(JOE, JOES_PASSWORD),), "approval": True},
            {"connector": "other", "username": JOE},
        ),
        ({}, {"form": {"encoding": "multipart"}}),
        ({}, {"cookies": [COOKIE]}),
        ({"more": ("--skip-provider-button=false",)}, {}),
    ],
    ids=("approval", "connectors", "both", "multipart", "named", "button"),
)
async def test_dex_signs_in_by_connector_approval_and_encoding(
    work: Path,
    tmp_path: Path,
    http: aiohttp.ClientSession,
    setup: Mapping[str, Any],
    keys: Mapping[str, Any],
) -> None:
    async with guarded(work, **setup) as place:
        installation = signing_in(tmp_path / "home", place.door, **keys)
        if keys.get("username") == JOE:
            installation = replace(installation, environ={"PASSWORD": JOES_PASSWORD})
        async with installation.running():
            await asks(http, installation, "/api/x%2Fy?q=%2A")
        assert place.logins == 1


async def test_several_connectors_without_a_choice_are_listed(
    work: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    setup = {"connectors": (password_connector(JOE, JOES_PASSWORD),)}
    async with guarded(work, **setup) as place:
        installation = signing_in(tmp_path / "home", place.door)
        async with installation.running(), http.get(f"{installation.base}/") as answer:
            assert answer.status == 503
            assert "offers the connectors local, other" in (await answer.json())["detail"]


async def test_a_wrong_password_is_tried_once(
    work: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    wrong = {"PASSWORD": "canary of a password"}
    async with guarded(work) as place:
        installation = replace(signing_in(tmp_path / "home", place.door), environ=wrong)
        async with installation.running() as sidecar:
            for _ in range(20):
                async with http.get(f"{installation.base}/") as answer:
                    assert answer.status == 502
                    assert "refused the user name or the password" in await answer.text()
            told = await status(sidecar)
            assert (told["state"], told["token_requests"]) == ("refused", 1)
            assert "canary" not in sidecar.err + sidecar.out + await answer.text()


async def test_a_login_at_keycloak_s_own_page_is_a_session_too(
    work: Path, tmp_path: Path, keycloak: Keycloak, http: aiohttp.ClientSession
) -> None:
    await signs_in_at(keycloak, work, tmp_path, http)


async def test_the_old_keycloak_s_page_is_understood_as_well(
    work: Path, tmp_path: Path, old_keycloak: Keycloak, http: aiohttp.ClientSession
) -> None:
    await signs_in_at(old_keycloak, work, tmp_path, http)


async def signs_in_at(
    server: Keycloak, work: Path, home: Path, http: aiohttp.ClientSession
) -> None:
    """Keycloak's form, then its page of consent, with oauth2-proxy as its client."""
    door = guard()
    administrator = Administrator(server, http)
    await administrator.realm("sessions")
    await administrator.user("sessions", MARY, MARYS_PASSWORD)
    client = {"clientId": CLIENT_ID, "secret": CLIENT_SECRET, "standardFlowEnabled": True}
    client |= {"redirectUris": [f"{door.url}*"], "consentRequired": True}
    await administrator.register("sessions", client)
    installation = signing_in(home / "home", door, grant="session")
    async with (
        application() as (url, seen),
        door.running(f"{server.base}/realms/sessions", url, work, lifetime=60),
        installation.running(),
    ):
        await asks(http, installation, "/api/1")
    assert seen.people == {MARY}
    assert (await administrator.events("sessions", CLIENT_ID))["LOGIN"] == 1
