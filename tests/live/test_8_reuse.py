"""Refresh tokens that rotate, at providers that punish reuse: processes die and race meanwhile.

``ROUNDS`` says how often each provider's process is killed: 200 in the long form.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from tests.live.admin import Administrator
from tests.live.keycloak import Keycloak
from tests.live.oidc_provider import client, oidc_provider
from tests.live.report import Report
from tests.live.session_life import CLIENT, LIFETIME, LOST, POINTS, SECRET, Life, Rotating, life
from tests.live.strict_login import refresh_token
from tests.live.tenants import MARY, MARYS_PASSWORD, TOKEN_PATH
from tests.live.turnstile import Turnstile, turnstile
from tests.live.verified_api import Ledger, VerifiedApi, verified_api
from tests.support.certificates import Authority, Pair

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROUNDS = int(os.environ.get("ROUNDS", "11"))
LIVES = 5
"""Sessions side by side; each has its share of the rounds."""

REALM = "rotating"
KEYCLOAK, STRICT = "Keycloak with Revoke Refresh Token", "oidc-provider with family kill"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(http: aiohttp.ClientSession) -> AsyncIterator[VerifiedApi]:
    """Where the program wants to go."""
    async with verified_api(http) as serving:
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_keycloak(keycloak: Keycloak, http: aiohttp.ClientSession):
    """Keycloak with "Revoke Refresh Token", and where it is."""
    administrator = Administrator(keycloak, http)
    strict = {"revokeRefreshToken": True, "refreshTokenMaxReuse": 0}
    await administrator.realm(REALM, **strict, accessTokenLifespan=LIFETIME)
    await administrator.register(REALM, {"clientId": CLIENT, "secret": SECRET})
    await administrator.user(REALM, MARY, MARYS_PASSWORD)
    path = f"/auth/realms/{REALM}"
    form = {"grant_type": "password", "username": MARY, "password": MARYS_PASSWORD}
    form |= {"client_id": CLIENT, "client_secret": SECRET}

    async def first(url: str) -> str:
        async with http.post(url, data=form) as answer:
            return str((await answer.json())["refresh_token"])

    def ledger(through: Turnstile) -> tuple[Ledger, str]:
        keys = f"{keycloak.base}/realms/{REALM}/protocol/openid-connect/certs"
        return Ledger(f"{through.url}{path}"), keys

    return origin(keycloak.base), Rotating(
        lambda through: f"{through.url}{path}/{TOKEN_PATH}", first, ledger
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_strict(work: Path, http, authority: Authority, shown: Pair):
    """The strict provider, and where it is."""
    known = client(
        CLIENT,
        "client_secret_post",
        grants=("authorization_code", "refresh_token"),
        client_secret=SECRET,
    )
    async with oidc_provider([known], work, shown, authority.ca_file, lifetime=LIFETIME) as server:

        async def first(_url: str) -> str:
            return await refresh_token(server.issuer, CLIENT, SECRET, http)

        yield (
            server.issuer,
            Rotating(
                lambda through: f"{through.url}/token",
                first,
                lambda _: (Ledger(server.issuer), f"{server.issuer}/jwks"),
            ),
        )


def origin(url: str) -> str:
    """Scheme, host and port."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


async def lives(
    stack: AsyncExitStack, where, api: VerifiedApi, http, work: Path, prefix: str, count: int
) -> list[Life]:
    """Some sessions, each with a turnstile of its own."""
    behind, rotating = where
    found = []
    for number in range(count):
        through = await stack.enter_async_context(turnstile(behind))
        name = f"{prefix}-{number}"
        found.append(await life(name, rotating, through, api, http, work / name))
    return found


async def rounds(session: Life, points: list[str], survived: Counter[tuple[str, bool]]) -> None:
    """Kill it at each of these points; where the login is lost, log in again."""
    for point in points:
        await session.die(point)
        kept = await session.survives(point)
        survived[point, kept] += 1
        if not kept:
            await session.begin()


async def show(title: str, where, api, http, work: Path, report: Report) -> None:
    """All rounds at one provider."""
    survived: Counter[tuple[str, bool]] = Counter()
    prefix = title.split(maxsplit=1)[0].lower()
    points = list(itertools.islice(itertools.cycle(POINTS), ROUNDS))
    try:
        async with AsyncExitStack() as stack:
            sessions = await lives(stack, where, api, http, work, prefix, LIVES)
            async with asyncio.TaskGroup() as group:
                for number, session in enumerate(sessions):
                    group.create_task(rounds(session, points[number::LIVES], survived))
    finally:
        for point in POINTS:
            report.row(
                f"{title}: killed {survived.total()} times around a refresh",
                at=point,
                still_logged_in=survived[point, True],
                login_needed_and_said_so=survived[point, False],
            )
    assert survived.total() == ROUNDS
    lost = {point for point, kept in survived if not kept}
    assert lost <= {*LOST, "random"}


async def ask(http: aiohttp.ClientSession, base: str, seconds: float) -> Counter[int]:
    """One program's answers, by their status."""
    answers: Counter[int] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        async with http.get(f"{base}/anything") as answer:
            await answer.read()
        answers[answer.status] += 1
        await asyncio.sleep(0.05)
    return answers


async def race(title: str, where, api, http, work: Path, seconds: float, report: Report) -> None:
    """Two processes live by one login for a while."""
    prefix = f"race-{title.split(maxsplit=1)[0].lower()}"
    async with AsyncExitStack() as stack:
        session = (await lives(stack, where, api, http, work, prefix, 1))[0]
        both = (session.installation, session.twin(work / f"{prefix}-twin"))
        for one in both:
            await stack.enter_async_context(one.running())
        tallies = await asyncio.gather(*(ask(http, one.base, seconds) for one in both))
    shown, answers = session.turnstile.used, sum(tallies, Counter())
    report.row(
        f"Two processes, one login, tokens of {LIFETIME} s, {seconds:.0f} s long",
        provider=title,
        answers=dict(answers),
        refreshes=shown.total(),
        shown_twice=sum(times > 1 for times in shown.values()),
        refused=dict(session.turnstile.refused),
    )
    assert set(answers) == {200}
    assert set(shown.values()) == {1}
    assert session.turnstile.refused == {}
    assert len(shown) > seconds / LIFETIME / 2


async def test_the_login_survives_at_keycloak_wherever_it_can(
    at_keycloak, api: VerifiedApi, http, work: Path, report: Report
) -> None:
    await show(KEYCLOAK, at_keycloak, api, http, work, report)


async def test_the_login_survives_at_the_strict_provider_wherever_it_can(
    at_strict, api: VerifiedApi, http, work: Path, report: Report
) -> None:
    await show(STRICT, at_strict, api, http, work, report)


async def test_two_processes_never_show_keycloak_a_token_twice(
    at_keycloak, api: VerifiedApi, http, work: Path, seconds: float, report: Report
) -> None:
    await race(KEYCLOAK, at_keycloak, api, http, work, seconds, report)


async def test_two_processes_never_show_the_strict_provider_a_token_twice(
    at_strict, api: VerifiedApi, http, work: Path, seconds: float, report: Report
) -> None:
    await race(STRICT, at_strict, api, http, work, seconds, report)
