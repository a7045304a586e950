from __future__ import annotations

from contextlib import AsyncExitStack

import aiohttp

from proxy.control import application
from proxy.control.lending import Lendables
from proxy.control.snapshot import Snapshot, WorkerStatus
from tests.control.conftest import Control, serve, snapshot, status


async def test_the_status_tells_of_each_credential_and_route(
    control: Control, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(control.admin + "/v1/status")
    said = await answer.json()
    assert said["version"] == "1.2.3"
    assert said["config"] == "/etc/token-sidecar/config.yaml"
    assert said["warnings"] == ["config.yaml:3:5: verify: false"]
    assert said["credentials"]["inference"] == {
        "level": "well",
        "state": "valid",
        "required": True,
        "ready": True,
        "generation": 3,
        "field": "access_token",
        "lifetime_seconds": 60.0,
        "expires_in_seconds": 42.5,
        "next_renewal_in_seconds": 22.0,
        "last_error": {
            "reason": "timeout",
            "message": "it did not answer within 10 s",
            "seen": "it did not answer within 10 s",
            "cause": "timeout",
            "meaning": "",
            "advice": "a firewall may swallow it: check the port, the VPN, and whether a proxy is"
            " needed",
            "at": "2026-09-21T14:13:20.250+00:00",
        },
        "failing_since": None,
        "token_requests": 5,
        "renewals": 3,
        "failures": {"timeout": 2},
        "rejections": 1,
    }
    assert said["routes"]["/infer/"] == {
        "requests": {"200": 2, "503": 1},
        "in_flight": 1,
        "seconds": 90.304,
        "latency": {"0.005": 1, "0.5": 1, "+Inf": 1},
        "bytes_in": 30,
        "bytes_out": 300,
        "replays": 0,
        "errors": {"proxy_internal_response": 1},
    }


async def test_a_credential_without_a_token_says_so_with_nulls(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(
        credentials=(status(field=None, lifetime_seconds=None, last_error=None),)
    )
    said = await (await client.get(control.admin + "/v1/status")).json()
    assert said["credentials"]["inference"]["field"] is None
    assert said["credentials"]["inference"]["last_error"] is None


async def test_answers_are_not_kept_and_do_not_name_what_serves_them(
    control: Control, client: aiohttp.ClientSession
) -> None:
    for target in ("/v1/status", "/nowhere"):
        answer = await client.get(control.admin + target)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers


async def test_the_status_is_read_and_not_written(
    control: Control, client: aiohttp.ClientSession
) -> None:
    answer = await client.post(control.admin + "/v1/status")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"
    assert (await answer.json(content_type=None))["title"] == "Method Not Allowed"


async def test_a_fault_is_reported_and_the_answer_says_nothing_of_it(
    client: aiohttp.ClientSession,
) -> None:
    faults: list[str] = []

    def broken() -> Snapshot:
        raise RuntimeError("canary")

    def report(where: str, error: BaseException) -> None:
        faults.append(f"{where} {error}")

    async def count() -> None:
        """Nothing is counted."""

    async with AsyncExitStack() as stack:
        nothing = Lendables({}, hold=0.0)
        url = await serve(
            stack, lambda guard: application.admin(broken, count, guard, report, lambda: nothing)
        )
        answer = await client.get(url + "/v1/status")
        assert answer.status == 500
        assert "canary" not in await answer.text()
    assert faults == ["control_fault canary"]


async def test_totals_are_counted_before_they_are_shown(
    control: Control, client: aiohttp.ClientSession
) -> None:
    for asked, target in enumerate(("/v1/status", "/metrics"), 1):
        assert (await client.get(control.admin + target)).status == 200
        assert control.counted == asked


async def test_workers_are_named_where_there_are_some(
    control: Control, client: aiohttp.ClientSession
) -> None:
    assert "workers" not in await (await client.get(control.admin + "/v1/status")).json()
    control.now = snapshot(workers=(WorkerStatus(7, requests=3, in_flight=1, connections=2),))
    said = await (await client.get(control.admin + "/v1/status")).json()
    assert said["workers"] == [{"pid": 7, "requests": 3, "in_flight": 1, "connections": 2}]
    page = await (await client.get(control.admin + "/metrics")).text()
    assert "token_sidecar_workers 1.0" in page
    assert "token_sidecar_worker_deaths_total 0.0" in page


async def test_only_a_credential_of_many_callers_counts_them(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(credentials=(status("exchange", callers=7), status("inference")))
    said = (await (await client.get(control.admin + "/v1/status")).json())["credentials"]
    assert said["exchange"]["callers"] == 7
    assert "callers" not in said["inference"]
