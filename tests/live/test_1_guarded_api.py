"""First of all: the API of these tests is one that really refuses."""

from __future__ import annotations

import time

import pytest

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import EXPIRY
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
SKEW = 1.0
"""Seconds past ``exp`` that Envoy forgives."""


async def ask(lab: Lab, base: str, headers: dict[str, str]) -> tuple[int, str]:
    async with lab.http.get(f"{base}/{EXPIRY.name}/anything", headers=headers) as answer:
        return answer.status, await answer.text()


async def status(lab: Lab, base: str, headers: dict[str, str]) -> int:
    return (await ask(lab, base, headers))[0]


async def test_a_missing_token_gets_401_from_envoy_and_from_the_strict_api(lab: Lab) -> None:
    assert await status(lab, lab.api, {}) == 401
    assert await status(lab, lab.strict_api, {}) == 401


async def test_another_tenants_token_gets_401(lab: Lab) -> None:
    token = await lab.token(EXPIRY)
    headers = {"Authorization": f"Bearer {token}"}
    async with lab.http.get(f"{lab.api}/seldon/anything", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("door", "forgives", "word"), [("strict_api", 0.0, "expired"), ("api", SKEW, "Jwt is expired")]
)
async def test_a_token_past_its_time_gets_401(
    lab: Lab, report: Report, door: str, forgives: float, word: str
) -> None:
    base = getattr(lab, door)
    headers = {"Authorization": f"Bearer {await lab.token(EXPIRY)}"}
    issued = int(time.time())
    assert await status(lab, base, headers) == 200

    async def refused() -> bool:
        code, body = await ask(lab, base, headers)
        return code == 401 and word in body

    await until(refused, deadline=EXPIRY.lifetime + forgives + 2, what="a refusal")
    past = time.time() - issued - EXPIRY.lifetime
    report.row("An API that refuses", door=door, words=word, after_exp=f"{past:.1f} s")
    assert forgives - 1 <= past <= forgives + 2


async def test_the_strict_api_counts_what_came_too_late(lab: Lab) -> None:
    ledger = await lab.ledger(EXPIRY)
    assert ledger["late"], "the test before this one sent an expired token"
