"""The vendors' SDKs from PyPI, unchanged, each in an environment of its own, through the sidecar.

They log in as they insist on, while Keycloak and Dex see the sidecar alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from joserfc.jwk import KeySet

from proxy.oauth.jwt import claims
from tests.live.admin import Administrator
from tests.live.dex import DexSetup, dex
from tests.live.keycloak import Keycloak
from tests.live.oauth2_proxy import guard
from tests.live.sidecar import Installation, install
from tests.live.tenants import MARY, MARYS_PASSWORD
from tests.live.vendors_api import VendorsApi, vendors_api
from tests.live.verified_api import signing
from tests.support.process import environment

pytestmark = pytest.mark.asyncio(loop_scope="session")
REALM, CLIENT, SECRET = "sdks", "backend", "backend's own"
LIFETIME = 5
KEY = "canary-of-the-notebook"
SCRIPTS = Path(__file__).parent / "sdks"


@dataclass(frozen=True, slots=True)
class Stage:
    """The sidecar between the SDKs and their platforms.

    Attributes:
        secret: what the SDKs are given for a secret: a client's key where there are clients.
    """

    installation: Installation
    api: VendorsApi
    secret: str
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def base(self) -> str:
        return f"http://localhost:{self.installation.port}"

    async def run(self, sdk: str, script: str, *arguments: str, stdin: bytes = b"") -> Any:
        """What one of the scripts tells, in a home where nobody has logged in."""
        home = self.installation.home / f"home-{next(self.numbers)}"
        home.mkdir()
        interpreter = Path(os.environ["SDKS_HOME"]) / sdk / "bin" / "python"
        process = await asyncio.create_subprocess_exec(
            *(str(interpreter), str(SCRIPTS / script), *arguments),
            env=environment(home, self._variables()),
            cwd=home,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(120):
            out, err = await process.communicate(stdin)
        assert process.returncode == 0, f"{err.decode()}\n{self.api.refused}"
        told = json.loads(out)
        self.is_clean(told["held"])
        return told

    def _variables(self) -> dict[str, str]:
        person = {"WALLAROO_USER": "joe", "WALLAROO_PASSWORD": self.secret}
        return person | {"PYTHONPATH": "", "PYTHONWARNINGS": "default"}

    def is_clean(self, held: list[str]) -> None:
        """Nothing real came down, nothing that was given out went up."""
        assert self.api.refused == []
        seen = "".join(self.api.heads)
        for one in held:
            decoy = one.removeprefix("Bearer ").partition(";")[0].rpartition("=")[2]
            assert decoy not in seen
            assert decoy not in self.api.tokens
            if decoy != self.secret:
                assert (claims(decoy) or {})["aud"] == "localhost"
        assert self.secret not in seen


@contextlib.asynccontextmanager
async def session_platform(api: VendorsApi, work: Path) -> AsyncIterator[str]:
    """The platforms behind oauth2-proxy behind Dex; where to ask."""
    door = guard()
    async with (
        dex(DexSetup((door.client,)), work) as server,
        door.running(server.issuer, f"{api.url}/", work, lifetime=60),
    ):
        yield door.url


def configuration(keycloak: Keycloak, api: VendorsApi, session: str) -> dict[str, Any]:
    """One person at Keycloak and at Dex; a route for each SDK."""

    def person(use: str) -> dict[str, Any]:
        return {
            "issuer": f"{keycloak.base}/realms/{REALM}",
            "grant": "password",
            "client_id": CLIENT,
            "client_secret": {"env": "SECRET"},
            "username": MARY,
            "password": {"env": "PASSWORD"},
            "scope": "openid",
            "use": use,
        }

    at_dex = {"preset": "seldon-session", "url": session, "username": MARY}
    routes = [
        ("wallaroo", api.url, "access"),
        ("runai", api.url, "access"),
        ("seldon", api.url, "identity"),
        ("seldon-session", session, "session"),
    ]
    return {
        "credentials": {
            "access": person("access_token"),
            "identity": person("id_token"),
            "session": at_dex | {"password": {"env": "PASSWORD"}},
        },
        "routes": [
            {"path": f"/{name}/", "upstream": url, "credential": credential, "sdk_login": name}
            for name, url, credential in routes
        ]
        + [{"path": "/openai/", "upstream": api.url, "credential": "access"}],
        "workers": 2,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platforms(
    keycloak: Keycloak, work: Path, http: aiohttp.ClientSession
) -> AsyncIterator[tuple[VendorsApi, str]]:
    """The platforms, which trust Keycloak's realm and Dex's guard."""
    administrator = Administrator(keycloak, http)
    await administrator.realm(REALM)
    await administrator.client(REALM, CLIENT, SECRET, LIFETIME)
    await administrator.user(REALM, MARY, MARYS_PASSWORD)
    issuer = f"{keycloak.base}/realms/{REALM}"
    async with http.get(f"{issuer}/protocol/openid-connect/certs") as answer:
        keys = KeySet.import_key_set(signing(await answer.json()))
    async with vendors_api(issuer, keys) as api, session_platform(api, work) as session:
        yield api, session


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["open", "keys"])
async def stage(
    request: pytest.FixtureRequest,
    keycloak: Keycloak,
    platforms: tuple[VendorsApi, str],
    work: Path,
) -> AsyncIterator[Stage]:
    """The sidecar, once for anybody and once for clients with a key."""
    api, session = platforms
    whole = configuration(keycloak, api, session)
    if request.param == "keys":
        whole["clients"] = {"notebook": {"key": {"env": "KEY"}}}
    environ = {"SECRET": SECRET, "PASSWORD": MARYS_PASSWORD, "KEY": KEY}
    installation = install(work / f"sdks-{request.param}", whole, environ)
    async with installation.running() as sidecar:
        await sidecar.ready()
        yield Stage(installation, api, KEY if request.param == "keys" else "anything")
        assert KEY not in sidecar.err


async def test_wallaroos_logs_in_by_password_and_refreshes(stage: Stage) -> None:
    told = await stage.run(
        "wallaroo", "with_wallaroo.py", f"{stage.base}/wallaroo", "user_password"
    )
    sub, email = told["user"]
    assert email == MARY
    assert told["listed"] == [[MARY, sub]]
    assert told["again"] == [MARY]


async def test_wallaroos_device_flow_asks_nobody_where_no_key_is_needed(stage: Stage) -> None:
    arguments = ("wallaroo", "with_wallaroo.py", f"{stage.base}/wallaroo", "sso")
    if stage.secret == KEY:
        with pytest.raises(AssertionError, match="by password instead"):
            await stage.run(*arguments)
    else:
        assert (await stage.run(*arguments))["user"][1] == MARY


async def test_runais_logs_in_with_its_app_and_again_before_the_end(
    stage: Stage, http: aiohttp.ClientSession
) -> None:
    told = await stage.run("runapy", "with_runai.py", f"{stage.base}/runai", stage.secret)
    assert told["listed"] == [{"projects": [{"name": MARY}]}] * 2
    assert told["expiry"] == (claims(told["held"][1]) or {})["exp"]
    bearer = {"Authorization": f"Bearer {told['held'][1]}"}
    async with http.get(f"{stage.api.url}/api/v1/org-unit/projects", headers=bearer) as answer:
        assert answer.status == 401  # at the platform itself it is worth nothing
    stage.api.refused.clear()
    stage.api.heads.clear()


@pytest.mark.parametrize("way", ["client_credentials", "password_grant", "auth_code"])
async def test_seldons_logs_in_at_its_provider(stage: Stage, way: str) -> None:
    arguments = (f"{stage.base}/seldon", way, stage.secret)
    told = await stage.run("seldon-deploy-sdk", "with_seldon.py", *arguments, stdin=b"localhost\n")
    assert told["listed"] == [MARY]


@pytest.mark.parametrize("way", ["session", "session_cookie"])
async def test_seldons_takes_a_sessions_cookie(stage: Stage, way: str) -> None:
    arguments = (f"{stage.base}/seldon-session", way, stage.secret)
    told = await stage.run("seldon-deploy-sdk", "with_seldon.py", *arguments)
    assert told["listed"] == [MARY]


async def test_openais_needs_no_login(stage: Stage) -> None:
    told = await stage.run("openai", "with_openai.py", f"{stage.base}/openai", stage.secret)
    assert told["listed"] == [MARY]
