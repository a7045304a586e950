"""The matrix: every grant with every client authentication, as each provider has them.

All through the real sidecar, with tokens of five seconds, to an API that verifies each of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from proxy.config.model import Grant
from tests.live.keycloak import Keycloak
from tests.live.matrix import strict_side
from tests.live.matrix.cell import CERTIFIED, CONFIDENTIAL, Cell
from tests.live.matrix.keycloak_side import KeycloakSide, all_cells
from tests.live.matrix.keys import assertion, new_key, published
from tests.live.matrix.run import Outcome, run, table
from tests.live.matrix.side import LIFETIME, Proofs, Side
from tests.live.matrix.strict_side import StrictSide
from tests.live.oidc_provider import oidc_provider
from tests.live.report import Report
from tests.live.verified_api import Ledger, VerifiedApi, verified_api
from tests.support.certificates import Authority, Pair

COLUMNS = (*CONFIDENTIAL, "federated", "none")
WORKLOAD = new_key("workload-1")
RENEWALS = 2
"""How many a cell must have seen, at least: SECONDS may be short."""

SIDES = {
    "at_keycloak": all_cells((*CONFIDENTIAL, "federated")),
    "at_old_keycloak": all_cells(CONFIDENTIAL),
    "at_strict": strict_side.CELLS,
}
ELSEWHERE = (
    ("Keycloak", "jwt_bearer", "oidc-provider, by a grant of the tests' own making"),
    (
        "oidc-provider",
        "password, token_exchange, federated",
        "both Keycloaks, the last one today's",
    ),
    ("all three", "session", "Dex and oauth2-proxy"),
    ("all three", "request: json", "tests/idp, at a provider of the tests"),
)
"""What a provider has not, and where it is shown instead."""

CELLS = [
    pytest.param(which, cell, id=f"{which}-{cell.name}")
    for which, cells in SIDES.items()
    for cell in cells
]


@pytest.fixture(scope="module")
def proofs(authority: Authority) -> Proofs:
    """What clients show."""
    return Proofs(new_key("key-1"), authority.issue(CERTIFIED, addresses=()), authority.ca_file)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(http: aiohttp.ClientSession) -> AsyncIterator[VerifiedApi]:
    """Where all programs want to go."""
    async with verified_api(http) as serving:
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workload_keys() -> AsyncIterator[str]:
    """The keys of the issuer of federated assertions."""
    async with published(WORKLOAD) as url:
        yield url


@pytest.fixture(scope="module")
def ran(api: VerifiedApi, http: aiohttp.ClientSession, work: Path, seconds: float, report: Report):
    """Runs a side and reports it."""

    async def one(title: str, side: Side) -> dict[Cell, Outcome]:
        home = work / f"matrix-{title.replace(' ', '-')}"
        outcomes = await run(side, api, http, home, seconds)
        for row in table(side.cells, outcomes, COLUMNS):
            report.row(f"{title}: every grant and client authentication, {LIFETIME} s", **row)
        return outcomes

    return one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_keycloak(ran, keycloak: Keycloak, http, proofs: Proofs, authority, workload_keys):
    """Today's Keycloak's outcomes."""
    certified = authority.client_context(proofs.shown)
    side = KeycloakSide(keycloak, http, proofs, certified, WORKLOAD, workload_keys)
    return await ran("Keycloak 26.4.5", side)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_old_keycloak(ran, old_keycloak: Keycloak, http, proofs, authority, workload_keys):
    """The old Keycloak's outcomes."""
    certified = authority.client_context(proofs.shown)
    side = KeycloakSide(old_keycloak, http, proofs, certified, WORKLOAD, workload_keys)
    return await ran("Keycloak 24.0.5", side)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_strict(ran, http, proofs: Proofs, authority: Authority, shown: Pair, work: Path):
    """The strict provider's outcomes."""
    clients = strict_side.clients(proofs)
    certified = authority.client_context(proofs.shown)
    async with oidc_provider(clients, work, shown, authority.ca_file) as provider:
        return await ran("oidc-provider 9", StrictSide(provider, http, proofs, certified))


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("said", "signed", "status"),
    [
        ({}, WORKLOAD, 200),
        ({"lifetime": -1}, WORKLOAD, 401),
        ({"iss": "https://another.example"}, WORKLOAD, 401),
        ({"aud": "another"}, WORKLOAD, 401),
        ({}, new_key("workload-1"), 401),
    ],
    ids=["good", "expired", "another issuer's", "for another", "signed by another"],
)
async def test_the_api_believes_none_but_good_tokens(
    api: VerifiedApi, http: aiohttp.ClientSession, said, signed, status: int
) -> None:
    claims = {"iss": "https://judged.example", "sub": "somebody", "aud": "judged"} | said
    async with published(WORKLOAD) as keys:
        await api.expect("judged", Ledger("https://judged.example", "judged"), keys)
    headers = {"Authorization": f"Bearer {assertion(signed, **claims)}"}
    async with http.get(f"{api.url}/judged/", headers=headers) as answer:
        assert answer.status == status


def test_what_a_provider_has_not_is_shown_elsewhere(report: Report) -> None:
    for provider, lacks, shown in ELSEWHERE:
        report.row("What the matrix has not", provider=provider, lacks=lacks, shown_at=shown)
    grants = {cell.grant for cells in SIDES.values() for cell in cells}
    assert grants == {grant.value for grant in Grant} - {Grant.SESSION, Grant.STATIC}


@pytest.mark.parametrize(("which", "cell"), CELLS)
def test_every_request_carried_a_good_token_through_several_renewals(
    request: pytest.FixtureRequest, which: str, cell: Cell
) -> None:
    outcome: Outcome = request.getfixturevalue(which)[cell]
    assert outcome.wrong[:2] == []
    assert outcome.ledger.refused == {}
    assert set(outcome.answers) == {200}
    assert len(outcome.ledger.tokens) > RENEWALS
