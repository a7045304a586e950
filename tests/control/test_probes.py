from __future__ import annotations

import aiohttp
import pytest

from tests.control.conftest import Control, snapshot, status


async def test_it_is_ready_once_every_required_credential_has_had_a_token(
    control: Control, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(control.admin + "/readyz")
    assert answer.status == 200
    assert await answer.json() == {"status": "ready"}


async def test_it_names_the_credentials_it_waits_for(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(
        credentials=(
            status("first", ready=False),
            status("second"),
            status("third", ready=False, required=False),
        )
    )
    answer = await client.get(control.admin + "/readyz")
    assert answer.status == 503
    assert await answer.json() == {"status": "waiting", "credentials": ["first"]}


async def test_a_credential_that_lost_its_token_leaves_it_ready(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(credentials=(status(state="unavailable", ready=True),))
    assert (await client.get(control.admin + "/readyz")).status == 200


async def test_a_store_that_cannot_be_used_is_told_and_leaves_it_ready(
    control: Control, client: aiohttp.ClientSession
) -> None:
    fault = "Redis at r:6379 does not answer"
    control.now = snapshot(credentials=(status("first"), status("second", store_fault=fault)))
    answer = await client.get(control.admin + "/readyz")
    assert (answer.status, await answer.json()) == (
        200,
        {"status": "ready", "store": "unavailable"},
    )
    told = await (await client.get(control.admin + "/v1/status")).json()
    assert told["store"] == fault
    assert "store_fault" not in told["credentials"]["second"]


async def test_draining_is_not_ready_but_healthy(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(draining=True)
    ready = await client.get(control.admin + "/readyz")
    assert (ready.status, await ready.json()) == (503, {"status": "draining"})
    assert (await client.get(control.admin + "/healthz")).status == 200


async def test_it_is_healthy_without_any_token(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(credentials=(status(ready=False, state="refused"),))
    assert (await client.get(control.admin + "/healthz")).status == 200


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/metrics"])
async def test_the_metrics_address_has_the_three_for_any_host(
    control: Control, client: aiohttp.ClientSession, target: str
) -> None:
    answer = await client.get(control.metrics + target, headers={"Host": "10.1.2.3:9090"})
    assert answer.status == 200


@pytest.mark.parametrize("target", ["/", "/v1/status", "/v1/token"])
async def test_the_metrics_address_has_nothing_else(
    control: Control, client: aiohttp.ClientSession, target: str
) -> None:
    answer = await client.get(control.metrics + target)
    assert answer.status == 404
    assert answer.content_type == "application/problem+json"


async def test_without_a_worker_it_is_neither_healthy_nor_ready_and_probes_count_nothing(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(serving=False, credentials=())
    for target in ("/healthz", "/readyz"):
        answer = await client.get(control.metrics + target)
        assert (answer.status, await answer.json()) == (503, {"status": "no worker runs"})
    assert control.counted == 0
