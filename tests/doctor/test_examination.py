"""The whole chain against a scripted provider and an API that checks tokens, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from proxy.clock import SystemClock
from proxy.config.load import load
from proxy.doctor.examination import examine
from proxy.doctor.finding import Finding, Kind, State
from tests.support.identity_provider import CLIENT, USER, IdentityProvider, Reply
from tests.support.process import free_port

Judge = Callable[[web.Request], web.Response]


@dataclass(slots=True)
class World:
    """A provider, an API, a configuration of one credential and one route."""

    provider: IdentityProvider
    api: str
    home: Path
    judge: Judge = field(default=lambda request: needs(request, "Bearer "))
    seen: list[str | None] = field(default_factory=list)
    credential: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization"))
        return self.judge(request)

    async def findings(self) -> list[Finding]:
        usual = {
            "issuer": self.provider.issuer,
            "client_id": CLIENT[0],
            "client_secret": {"env": "SECRET"},
        }
        credential = {key: one for key, one in (usual | self.credential).items() if one is not None}
        route = {"path": "/", "upstream": self.api, "credential": "api"} | self.route
        whole = {"listen": f"127.0.0.1:{free_port()}", "admin": "off"} | self.top
        file = self.home / "config.yaml"
        file.write_text(
            yaml.safe_dump(whole | {"credentials": {"api": credential}, "routes": [route]})
        )
        environ = {"HOME": str(self.home), "SECRET": CLIENT[1], "PASSWORD": USER[1]} | self.environ
        config = load(file, environ)
        return [one async for one in examine(config, environ, SystemClock())]

    async def wrong(self) -> Finding:
        """The one thing that is wrong."""
        found = await self.findings()
        (one,) = [one for one in found if one.state is State.BAD]
        return one


def needs(request: web.Request, start: str) -> web.Response:
    said = request.headers.get("Authorization", "")
    if said.startswith(start) and len(said) > len(start):
        return web.Response(text="fine")
    return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})


@asynccontextmanager
async def world(home: Path) -> AsyncIterator[World]:
    async with IdentityProvider() as provider:
        made = World(provider, "", home)
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", made.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.api = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/"
        try:
            yield made
        finally:
            await runner.cleanup()


async def test_where_all_is_well_every_step_is_told(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.signed = True
        found = await run.findings()
    assert all(one.kind is None for one in found)
    steps = [one.step for one in found if one.subject]
    assert steps == [
        "secret",
        "provider proxy",
        "provider name",
        "provider TCP",
        "discovery",
        "clock",
        "token",
        "answer",
        "API proxy",
        "API name",
        "API TCP",
        "API takes it",
    ]
    assert found[-1].told == "yes: 200 with it, 401 without"
    assert f"issuer {run.provider.issuer}" in found[-5].told
    assert run.provider.asked == 1


async def test_others_of_this_machine_are_spoken_of(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        assert "open_to_all" in {one.cause for one in await run.findings()}
        run.top = {"listen": f"unix:{tmp_path}/s"}
        assert "open_to_all" not in {one.cause for one in await run.findings()}


@pytest.mark.parametrize(
    ("reply", "kind", "cause"),
    [
        (Reply(401, {"error": "invalid_client"}), Kind.REFUSED, "wrong_secret"),
        (Reply(403, "no"), Kind.REFUSED, "forbidden"),
        (Reply(404, "no"), Kind.REFUSED, "not_a_token_endpoint"),
        (Reply(500, "no"), Kind.UNREACHABLE, "http_500"),
        (Reply(200, "<html>"), Kind.UNREACHABLE, "unreadable"),
        (Reply(302, "", {"Location": "/login"}), Kind.UNREACHABLE, "redirect"),
        (Reply(close=True), Kind.UNREACHABLE, "network"),
        (
            Reply(200, {"id_token": "x", "token_type": "Bearer"}),
            *(Kind.CONFIGURATION, "field_missing"),
        ),
    ],
)
async def test_what_the_provider_says_is_explained(
    tmp_path: Path, reply: Reply, kind: Kind, cause: str
) -> None:
    async with world(tmp_path) as run:
        run.credential = {"issuer": None, "token_url": run.provider.token_url}
        run.provider.otherwise = reply
        found = await run.wrong()
        assert run.seen == []
    assert (found.kind, found.cause) == (kind, cause)


async def test_the_fields_that_would_be_there_are_named(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.credential = {"use": "id_token"}
        found = await run.wrong()
    assert found.cause == "field_missing"
    assert "access_token" in found.told
    assert "scope: openid" in found.advice
    assert "use: access_token" in found.advice


async def test_the_document_of_another_issuer(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.document = {"issuer": "https://other.example"}
        found = await run.wrong()
        assert (found.step, found.cause) == ("discovery", "issuer_mismatch")
        assert run.provider.asked == 0


async def test_a_chain_ends_where_going_on_makes_no_sense(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.environ = {"SECRET": ""}
        found = await run.wrong()
        assert found.cause == "secret_missing"
        assert (run.provider.discovered, run.provider.asked, run.seen) == (0, 0, [])


async def test_clocks_that_differ(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.clock_ahead = 300
        told = {one.cause: one for one in await run.findings()}["clock_skew"]
    assert "behind" in told.told
    assert told.kind is None


async def test_a_wrong_password_is_sent_once(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.credential = {
            "grant": "password",
            "username": USER[0],
            "password": {"env": "PASSWORD"},
        }
        run.environ = {"PASSWORD": "canary-wrong"}
        found = await run.wrong()
        assert run.provider.asked == 1
    assert found.cause == "wrong_password"
    assert "asked once" in found.advice


async def test_the_api_that_wants_another_field(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.signed = run.provider.id_token = True

        def only_id(request: web.Request) -> web.Response:
            said = request.headers.get("Authorization", "").removeprefix("Bearer ")
            known = said and said not in run.provider.issued
            return web.Response(status=200 if known else 403)

        run.judge = only_id
        found = await run.wrong()
    assert (found.cause, found.advice) == ("wrong_field", "set use: id_token in the credential")


@pytest.mark.parametrize(
    ("scheme", "start", "cause"),
    [("", "Bearer ", "missing_bearer"), ("Bearer", "token-", "unwanted_bearer")],
)
async def test_the_scheme_before_the_token(
    tmp_path: Path, scheme: str, start: str, cause: str
) -> None:
    async with world(tmp_path) as run:
        run.route = {"scheme": scheme}
        run.judge = lambda request: needs(request, start)
        assert (await run.wrong()).cause == cause


@pytest.mark.parametrize(
    ("status", "body", "challenge", "cause"),
    [
        (401, "", "", "token_rejected"),
        (401, "Audiences in Jwt are not allowed", "", "wrong_audience"),
        (403, "Audiences in Jwt are not allowed", "", "wrong_audience"),
        (403, "", 'Bearer error="insufficient_scope"', "scope_missing"),
        (403, "", "", "not_allowed"),
    ],
)
async def test_401_and_403_are_told_apart(
    tmp_path: Path, status: int, body: str, challenge: str, cause: str
) -> None:
    async with world(tmp_path) as run:
        headers = {"WWW-Authenticate": challenge} if challenge else {}
        run.judge = lambda _: web.Response(status=status, text=body, headers=headers)
        found = await run.wrong()
    assert (found.kind, found.cause) == (Kind.REFUSED, cause)


async def test_an_api_that_wants_a_browser(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.judge = lambda _: web.Response(status=302, headers={"Location": "/dex/auth?x"})
        assert (await run.wrong()).cause == "session_wanted"


async def test_an_api_that_anybody_may_ask(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.judge = lambda _: web.Response(text="public")
        found = (await run.findings())[-1]
    assert (found.state, found.cause) == (State.NOTE, "not_protected")


async def test_an_api_that_is_not_there(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.route = {"upstream": f"http://127.0.0.1:{free_port()}/"}
        found = await run.wrong()
    assert (found.step, found.cause) == ("API TCP", "port_closed")


async def test_a_refresh_token_that_nothing_would_keep_is_not_used(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.credential = {"grant": "refresh_token", "refresh_token": {"env": "REFRESH"}}
        run.environ = {"REFRESH": run.provider.accept_refresh_token("canary-refresh")}
        found = (await run.findings())[-1]
        assert run.provider.asked == 0
    assert found.cause == "refresh_would_be_lost"


async def test_a_rotated_refresh_token_is_kept_in_the_store(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.refresh_lifetime = 600
        run.credential = {"grant": "refresh_token", "refresh_token": {"env": "REFRESH"}}
        run.environ = {"REFRESH": run.provider.accept_refresh_token("canary-refresh")}
        run.top = {"store": {"file": str(tmp_path / "tokens")}}
        for _ in range(3):
            assert all(one.kind is None for one in await run.findings())
        sent = [one.form["refresh_token"] for one in run.provider.requests]
    assert len(set(sent)) == 3, "each is good once"


async def test_a_person_who_has_not_logged_in_is_not_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as run:
        run.provider.document = {"authorization_endpoint": run.provider.issuer + "/auth"}
        run.credential = {"grant": "authorization_code"}
        run.top = {"store": {"file": str(tmp_path / "tokens")}}
        found = await run.wrong()
        assert run.provider.asked == 0
    assert found.cause == "login_needed"
    assert found.advice == "run: token-sidecar login api"


async def test_nothing_secret_is_in_any_finding(tmp_path: Path) -> None:
    canaries = "canary/secret canary-password canary%2Fsecret"
    replies = [
        Reply(401, {"error": "invalid_client", "error_description": canaries}),
        Reply(200, {"canary/secret": "x", "id_token": "canary-token"}),
        Reply(200, {"access_token": "canary-token", "token_type": "canary/secret"}),
        Reply(500, canaries),
        Reply(200, {"access_token": "canary-token", "token_type": "Bearer", "scope": canaries}),
    ]
    async with world(tmp_path) as run:
        run.environ = {"SECRET": "canary/secret", "PASSWORD": "canary-password"}
        run.credential = {
            "grant": "password",
            "username": USER[0],
            "password": {"env": "PASSWORD"},
        }
        run.judge = lambda request: web.Response(
            status=401, text=str(request.headers), headers={"WWW-Authenticate": canaries}
        )
        for reply in replies:
            run.provider.otherwise = reply
            found = await run.findings()
            assert len(found) > 5
            assert "canary" not in json.dumps([str(one) for one in found])
