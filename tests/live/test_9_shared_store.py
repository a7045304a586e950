"""One login and eight processes that live by it, on one store: never a token shown twice.

Keycloak revokes the whole login when a refresh token comes again ("Revoke Refresh Token"). Nothing
that the stores keep, and nothing that others can see of the processes, holds a token or a secret.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from tests.live.admin import Administrator
from tests.live.keycloak import RELATIVE_PATH, Keycloak
from tests.live.leaks import Search, beginnings, holds
from tests.live.report import Report
from tests.live.shared_login import KEY, SECRET, Login, Tally, all_running, total
from tests.live.tenants import MARY, MARYS_PASSWORD, TOKEN_PATH
from tests.live.turnstile import Turnstile, turnstile
from tests.live.verified_api import Ledger, verified_api
from tests.support.redis_server import redis_server

pytestmark = pytest.mark.asyncio(loop_scope="session")
NAME = "shared"
REALM = f"/realms/{NAME}"
LIFETIME = 6
SIDECARS, COMMANDS = 3, 4
PROGRAMS = 2
"""That ask by way of each sidecar."""

LEAST_SERVED = 2
"""By each of them, however slow the machine is."""

SEALED = b"token-sidecar entry 1"
"""What an entry begins with, in whatever store."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One login, on its way to Keycloak and to the API, and what must not be found."""

    login: Login
    turnstile: Turnstile
    ledger: Ledger
    search: Search
    administrator: Administrator


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def administrator(keycloak: Keycloak, http: aiohttp.ClientSession) -> Administrator:
    """Of Keycloak, where the realm and the person were made."""
    made = Administrator(keycloak, http)
    strict = {"revokeRefreshToken": True, "refreshTokenMaxReuse": 0}
    await made.realm(NAME, **strict, accessTokenLifespan=LIFETIME)
    await made.user(NAME, MARY, MARYS_PASSWORD)
    return made


@pytest.fixture
def logged_in(keycloak: Keycloak, administrator: Administrator, http, work: Path):
    """Begins a login that a store keeps."""

    @asynccontextmanager
    async def begin(client: str, store: dict[str, Any]) -> AsyncIterator[Scene]:
        await administrator.register(NAME, {"clientId": client, "secret": SECRET})
        async with turnstile(origin(keycloak.base)) as through, verified_api(http) as api:
            issuer = f"{through.url}{RELATIVE_PATH}{REALM}"
            ledger, keys = Ledger(issuer), f"{keycloak.base}{REALM}/protocol/openid-connect/certs"
            await api.expect(client, ledger, keys)
            url = f"{issuer}/{TOKEN_PATH}"
            login = Login(work / client, client, url, store, f"{api.url}/{client}", http)
            tokens = await first_tokens(http, url, client)
            login.begin(tokens["refresh_token"])
            yield Scene(login, through, ledger, Search(needles(tokens)), administrator)

    return begin


def origin(url: str) -> str:
    """Scheme, host and port."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


async def first_tokens(http: aiohttp.ClientSession, url: str, client: str) -> dict[str, Any]:
    """The person logs in."""
    form = {"grant_type": "password", "username": MARY, "password": MARYS_PASSWORD}
    async with http.post(url, data=form | {"client_id": client, "client_secret": SECRET}) as answer:
        return dict(await answer.json())


def needles(tokens: dict[str, Any]) -> dict[str, bytes]:
    """All tokens of this realm, whoever got them and when; and the secrets."""
    found = beginnings([tokens["access_token"], tokens["refresh_token"]])
    return found | {"the client's secret": SECRET.encode(), "the store's key": KEY.encode()}


async def live_by(login: Login, seconds: float) -> dict[str, list[Tally]]:
    """All processes for so long; what became of their requests, by kind of process."""
    sidecars = [login.install(f"sidecar-{number}", workers=2) for number in range(SIDECARS)]
    # Half of the commands find a sidecar to ask; the others, and the program, have the store alone.
    alone = [login.install(f"alone-{number}") for number in range(COMMANDS // 2 + 1)]
    program = alone.pop()
    async with all_running(sidecars):
        end = time.monotonic() + seconds
        commanding = (*sidecars[: COMMANDS // 2], *alone)
        found = await asyncio.gather(
            asyncio.gather(*(login.program(one.base, end) for one in PROGRAMS * sidecars)),
            asyncio.gather(*(login.commands(one, end) for one in commanding)),
            asyncio.gather(login.python(program, seconds)),
        )
    return dict(zip(("sidecars", "commands", "client"), found, strict=True))


def row(report: Report, store: str, scene: Scene, answers: dict[str, list[Tally]], events) -> None:
    """What there was."""
    sums = {kind: total(tallies) for kind, tallies in answers.items()}
    report.row(
        f"Eight processes, one login, tokens of {LIFETIME} s, any reuse ends the login",
        store=store,
        **{kind: served for kind, (served, _) in sums.items()},
        failures=sum(failures.total() for _, failures in sums.values()),
        outlived=sum(tally.outlived for tallies in answers.values() for tally in tallies),
        renewals=len(scene.turnstile.used),
        token_requests=scene.turnstile.used.total(),
        keycloak_says=events["REFRESH_TOKEN"],
        its_errors=events["REFRESH_TOKEN_ERROR"],
        files=scene.search.files,
        environments=len(scene.search.processes),
        leaks=len(scene.search.found),
    )


def judge(scene: Scene, answers: dict[str, list[Tally]], events, lived: float) -> None:
    """One request a renewal in ``lived`` seconds, no failure, and the login is still there."""
    for kind, tallies in answers.items():
        served, failures = total(tallies)
        assert failures == Counter(), kind
        assert served > len(tallies) * LEAST_SERVED, kind
    shown = scene.turnstile.used
    assert scene.ledger.refused.total() == sum(tally.outlived for tally in answers["commands"])
    assert scene.turnstile.refused == {}
    assert set(shown.values()) == {1}
    assert events == {"LOGIN": 1, "REFRESH_TOKEN": len(shown)}
    # Keycloak's `exp` has no fractions: a token lives up to a second less.
    assert len(shown) <= lived / (0.6 * (LIFETIME - 1)) + 2
    assert len(scene.ledger.tokens) <= len(shown)


async def prove(
    store: str,
    scene: Scene,
    kept: Path,
    seconds: float,
    report: Report,
    dump: Callable[[], object] = lambda: None,
) -> None:
    """All of them live by the login; what they keep, and others could see, holds no secret."""
    began = time.monotonic()
    async with scene.search.watching():
        answers = await live_by(scene.login, seconds)
    lived = time.monotonic() - began
    dump()
    assert holds(kept, SEALED)
    scene.search.directories(kept)
    events = await scene.administrator.events(NAME, scene.login.client)
    row(report, store, scene, answers, events)
    judge(scene, answers, events, lived)
    assert scene.search.found == set()


async def test_eight_processes_live_by_one_login_in_a_store_of_files(
    logged_in, work: Path, seconds: float, report: Report
) -> None:
    kept = work / "kept-in-files"
    async with logged_in("shared-files", {"file": str(kept / "tokens")}) as scene:
        await prove("files", scene, kept, seconds, report)


async def test_eight_processes_live_by_one_login_in_redis(
    logged_in, work: Path, seconds: float, report: Report
) -> None:
    kept = work / "kept-in-redis"
    kept.mkdir()
    # Whatever is compressed could not be found.
    with redis_server(kept, "--appendonly", "yes", "--rdbcompression", "no") as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        async with logged_in("shared-redis", {"redis": url}) as scene:
            await prove("Redis", scene, kept, seconds, report, dump=lambda: server.ask("SAVE"))
