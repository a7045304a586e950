"""The gates do judge: without the sidecar's token nothing gets to any upstream."""

from __future__ import annotations

import aiohttp
import pytest

from tests.programs.gate import Gate
from tests.programs.lab import LIFETIME, Lab
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def status(gate: Gate, *given: str) -> int:
    headers = [("Authorization", value) for value in given]
    async with aiohttp.request("GET", f"http://127.0.0.1:{gate.port}/x", headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("name", ["api", "tensors", "tables", "echo"])
async def test_a_request_without_a_live_token_is_refused(lab: Lab, name: str) -> None:
    gate = Gate(lab.gates[name].upstream_port, lab.alive)
    await gate.start()
    live = f"Bearer {lab.provider.issued[-1]}"
    assert await status(gate) == 401
    assert await status(gate, "Bearer made-up") == 401
    assert await status(gate, live, live) == 401
    assert len(gate.refused) == 3
    assert gate.passed == []
    await gate.close()


async def test_a_token_that_was_good_is_refused_after_its_end(lab: Lab) -> None:
    gate = Gate(lab.gates["api"].upstream_port, lab.alive)
    await gate.start()
    token = f"Bearer {lab.provider.issued[-1]}"
    assert await status(gate, token) == 404

    async def over() -> bool:
        return await status(gate, token) == 401

    await until(over, deadline=LIFETIME + 5, what="the token's end")
    await gate.close()
