"""The vendors' recipes: eight programs each, tokens of five seconds, nothing but 200."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.live.lab import Lab
from tests.live.load import CALLS, Tally, drive
from tests.live.report import Report
from tests.live.tenants import LIFETIME, RECIPES, Tenant

pytestmark = pytest.mark.asyncio(loop_scope="session")
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One recipe's outcome; ``seconds`` from the sidecar's start to its end."""

    tally: Tally
    seconds: float
    asked: int

    @property
    def allowed(self) -> float:
        """How many token requests a credential may have caused."""
        return self.seconds / (0.6 * LIFETIME) + 2


async def run(lab: Lab, tenant: Tenant, seconds: float) -> Run:
    gate = lab.gates[tenant.name]
    before, started = len(gate.asked), time.monotonic()
    installation = lab.install(tenant)
    async with installation.running():
        calls = CALLS[tenant.name]
        tally = await drive(installation.base, calls, clients=CLIENTS, seconds=seconds)
    return Run(tally, time.monotonic() - started, len(gate.asked) - before)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs(lab: Lab, seconds: float, report: Report) -> dict[str, Run]:
    """All recipes side by side, each with a sidecar of its own."""
    outcomes = await asyncio.gather(*(run(lab, tenant, seconds) for tenant in RECIPES))
    for tenant, outcome in zip(RECIPES, outcomes, strict=True):
        ledger = await lab.ledger(tenant)
        report.row(
            f"Recipes: {CLIENTS} programs, {seconds:.0f} s each, tokens of {LIFETIME} s",
            recipe=tenant.name,
            answers=outcome.tally.answers.total(),
            not_200=outcome.tally.others,
            token_requests=outcome.asked,
            allowed=f"{outcome.allowed:.1f}",
            tokens_at_the_API=len(ledger["tokens"]),
            late=len(ledger["late"]),
        )
    return dict(zip((tenant.name for tenant in RECIPES), outcomes, strict=True))


@pytest.mark.parametrize("tenant", RECIPES, ids=lambda tenant: tenant.name)
async def test_every_answer_is_200_and_right(runs: dict[str, Run], tenant: Tenant) -> None:
    tally = runs[tenant.name].tally
    assert tally.answers.total() > CLIENTS
    assert (tally.others, tally.wrong[:3]) == (0, [])


@pytest.mark.parametrize("tenant", RECIPES, ids=lambda tenant: tenant.name)
async def test_the_provider_is_asked_no_more_than_the_policy_allows(
    runs: dict[str, Run], tenant: Tenant
) -> None:
    outcome = runs[tenant.name]
    assert 1 < outcome.asked <= outcome.allowed


@pytest.mark.parametrize("tenant", RECIPES, ids=lambda tenant: tenant.name)
async def test_no_token_came_too_late_or_was_refused_at_the_api(
    lab: Lab, runs: dict[str, Run], tenant: Tenant
) -> None:
    ledger = await lab.ledger(tenant)
    assert (ledger["late"], ledger["answers"].get("401", 0)) == ([], 0)
    assert len(ledger["tokens"]) > 1, runs[tenant.name]


@pytest.mark.parametrize("tenant", RECIPES[:4], ids=lambda tenant: tenant.name)
async def test_the_kind_of_token_is_the_one_the_vendor_wants(
    runs: dict[str, Run], tenant: Tenant
) -> None:
    assert runs[tenant.name].tally.kinds == {tenant.kind}


async def test_keycloak_recorded_one_login_each_and_then_refreshes(
    lab: Lab, runs: dict[str, Run], report: Report
) -> None:
    users = {(tenant.realm, tenant.client): tenant for tenant in RECIPES if tenant.user}
    for realm, client in dict.fromkeys((tenant.realm, tenant.client) for tenant in RECIPES):
        events = await lab.administrator.events(realm, client)
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(events.items()))
        report.row("What Keycloak recorded", client=f"{realm}/{client}", events=listed)
        assert not any(kind.endswith("_ERROR") for kind in events)
        if user := users.get((realm, client)):
            assert events["LOGIN"] == 1
            assert events["REFRESH_TOKEN"] == runs[user.name].asked - 1
