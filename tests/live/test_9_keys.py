"""Clients' keys and assertions change while programs ask, and nobody notices."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from tests.live.admin import Administrator
from tests.live.keycloak import Keycloak
from tests.live.matrix.keycloak_side import ISSUER, WORKLOAD, trusted
from tests.live.matrix.keys import assertion, new_key, place, public, published, write_private
from tests.live.matrix.side import LIFETIME
from tests.live.report import Report
from tests.live.sidecar import install
from tests.live.verified_api import Ledger, VerifiedApi, verified_api

pytestmark = pytest.mark.asyncio(loop_scope="session")
REALM, CLIENT, VOUCHED = "keys", "keyed", "vouched"
SHORT = 6
"""Seconds that an assertion of somebody else lives: Kubernetes gives an hour."""


async def ask(
    http: aiohttp.ClientSession, base: str, answers: Counter[int], wrong: list[str]
) -> None:
    """A program, until it is cancelled."""
    while True:
        async with http.get(f"{base}/anything") as answer:
            text = await answer.text()
        answers[answer.status] += 1
        if answer.status != 200:
            wrong.append(text)
        await asyncio.sleep(0.1)


@asynccontextmanager
async def asked(
    keycloak: Keycloak, http: aiohttp.ClientSession, home: Path, keys: dict[str, object]
) -> AsyncIterator[tuple[Ledger, Counter[int], list[str]]]:
    """A program asks through a sidecar with this credential while the block runs."""
    issuer = f"{keycloak.base}/realms/{REALM}"
    ledger, answers, wrong = Ledger(issuer), Counter[int](), list[str]()
    async with verified_api(http) as api:
        await api.expect(CLIENT, ledger, f"{issuer}/protocol/openid-connect/certs")
        whole = configuration(api, {"issuer": issuer} | keys)
        installation = install(home, whole, {})
        async with installation.running():
            program = asyncio.create_task(ask(http, installation.base, answers, wrong))
            try:
                yield ledger, answers, wrong
            finally:
                program.cancel()
                await asyncio.gather(program, return_exceptions=True)


def configuration(api: VerifiedApi, credential: dict[str, object]) -> dict[str, object]:
    """One credential and one route."""
    route = {"path": "/", "upstream": f"{api.url}/{CLIENT}/", "credential": "keyed"}
    return {"credentials": {"keyed": credential}, "routes": [route]}


async def several_tokens(ledger: Ledger, more: int = 2) -> None:
    """Wait until so many further tokens were seen."""
    end, goal = time.monotonic() + 15 * more, len(ledger.tokens) + more
    while len(ledger.tokens) < goal:
        assert time.monotonic() < end, ledger
        await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def administrator(keycloak: Keycloak, http: aiohttp.ClientSession) -> Administrator:
    """Of Keycloak, where a realm was made."""
    made = Administrator(keycloak, http)
    await made.realm(REALM, accessTokenLifespan=LIFETIME)
    return made


async def test_a_clients_key_changes_at_both_sides_in_any_order(
    administrator: Administrator, keycloak: Keycloak, http, work: Path, report: Report
) -> None:
    first, second, third = (new_key(f"key-{number}") for number in (1, 2, 3))
    file = work / "rotating.jwk"
    await administrator.register(REALM, client(CLIENT, "client-jwt", shown(first)))
    write_private(first, file)
    told = {
        "client_id": CLIENT,
        "client_auth": "private_key_jwt",
        "private_key": {"file": str(file)},
    }
    async with asked(keycloak, http, work / "rotating", told) as (ledger, answers, wrong):
        await several_tokens(ledger)
        await administrator.change(REALM, CLIENT, **shown(first, second))
        write_private(second, file)
        await several_tokens(ledger)
        await administrator.change(REALM, CLIENT, **shown(second))
        await several_tokens(ledger)
        write_private(third, file)
        await several_tokens(ledger, 1)
        await administrator.change(REALM, CLIENT, **shown(third))
        await several_tokens(ledger)
    report.row("Keys that change", what="private_key_jwt", answers=dict(answers), keys=3)
    assert wrong[:2] == []
    assert set(answers) == {200}


async def test_an_assertion_of_somebody_else_is_read_anew_each_time(
    administrator: Administrator, keycloak: Keycloak, http, work: Path, report: Report
) -> None:
    key = new_key("workload-1")
    realm = f"{keycloak.base}/realms/{REALM}"
    file, written = work / "federated.jwt", itertools.count(1)

    def write() -> int:
        signed = assertion(key, lifetime=SHORT, iss=ISSUER, sub=VOUCHED, aud=realm)
        place(signed, file)
        return next(written)

    async with published(key) as url:
        await administrator.trust(REALM, trusted(url))
        names = {"jwt.credential.issuer": WORKLOAD, "jwt.credential.sub": VOUCHED}
        await administrator.register(REALM, client(VOUCHED, "federated-jwt", names))
        write()
        told = {"client_id": VOUCHED, "client_auth": "federated", "assertion": {"file": str(file)}}
        async with asked(keycloak, http, work / "federated", told) as (ledger, answers, wrong):
            rewriting = asyncio.create_task(every(SHORT / 3, write))
            try:
                await several_tokens(ledger, 5)
            finally:
                rewriting.cancel()
                await asyncio.gather(rewriting, return_exceptions=True)
    report.row("Keys that change", what="federated", answers=dict(answers), keys=next(written) - 1)
    assert wrong[:2] == []
    assert set(answers) == {200}


async def every(seconds: float, write: Callable[[], int]) -> None:
    """As a kubelet does, only more often."""
    while True:
        await asyncio.sleep(seconds)
        write()


def client(name: str, authenticator: str, attributes: dict[str, str]) -> dict[str, object]:
    """Keycloak's ClientRepresentation."""
    return {
        "clientId": name,
        "clientAuthenticatorType": authenticator,
        "attributes": attributes,
    }


def shown(*keys: ECKey) -> dict[str, str]:
    """The public keys that Keycloak believes."""
    return {"use.jwks.string": "true", "jwks.string": json.dumps(public(*keys))}
