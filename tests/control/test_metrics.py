from __future__ import annotations

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.control.snapshot import Reloads, SecretStatus, Spans
from tests.control.conftest import Control, snapshot, status, totals

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scraped(control: Control, client: aiohttp.ClientSession) -> Samples:
    answer = await client.get(control.metrics + "/metrics")
    assert answer.status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(await answer.text())
        for sample in family.samples
    }


async def test_requests_are_counted_by_route_and_status(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    name = "token_sidecar_requests_total"
    assert found[name, (("code", "200"), ("route", "/infer/"))] == 2
    assert found[name, (("code", "503"), ("route", "/infer/"))] == 1


async def test_durations_are_a_histogram_whose_last_bucket_is_the_count(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    name = "token_sidecar_request_duration_seconds"
    route = ("route", "/infer/")
    assert found[name + "_bucket", (("le", "0.005"), route)] == 1
    assert found[name + "_bucket", (("le", "0.5"), route)] == 2
    assert found[name + "_bucket", (("le", "60.0"), route)] == 2
    assert found[name + "_bucket", (("le", "+Inf"), route)] == 3
    assert found[name + "_count", (route,)] == 3
    assert found[name + "_sum", (route,)] == 90.304


async def test_bytes_errors_and_what_is_under_way_are_told(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    route = ("route", "/infer/")
    assert found["token_sidecar_request_bytes_total", (route,)] == 30
    assert found["token_sidecar_response_bytes_total", (route,)] == 300
    errors = (("error", "proxy_internal_response"), route)
    assert found["token_sidecar_proxy_errors_total", errors] == 1
    assert found["token_sidecar_requests_in_flight", ()] == 1
    assert found["token_sidecar_connections", ()] == 2


async def test_each_credential_tells_of_its_renewals(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    name = ("credential", "inference")
    assert found["token_sidecar_token_requests_total", (name,)] == 5
    assert found["token_sidecar_token_renewals_total", (name,)] == 3
    assert found["token_sidecar_token_failures_total", (name, ("reason", "timeout"))] == 2
    assert found["token_sidecar_token_rejections_total", (name,)] == 1
    assert found["token_sidecar_token_expiry_seconds", (name,)] == 42.5
    assert found["token_sidecar_token_next_renewal_seconds", (name,)] == 22
    assert found["token_sidecar_token_lifetime_seconds", (name,)] == 60
    assert found["token_sidecar_credential_required", (name,)] == 1
    assert found["token_sidecar_token_last_failure_timestamp_seconds", (name,)] == 1790000000.25


async def test_a_credential_is_in_one_state_and_tells_of_the_others_that_it_is_not(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    states = {
        dict(labels)["state"]: now
        for (name, labels), now in found.items()
        if name == "token_sidecar_credential_state"
    }
    assert states.pop("valid") == 1
    assert set(states) == {"empty", "renewing", "refused", "unavailable", "expired"}
    assert set(states.values()) == {0}


async def test_a_store_that_cannot_be_used_is_counted_as_down(
    control: Control, client: aiohttp.ClientSession
) -> None:
    assert (await scraped(control, client))["token_sidecar_store_up", ()] == 1
    control.now = snapshot(credentials=(status(store_fault="it does not answer"),))
    assert (await scraped(control, client))["token_sidecar_store_up", ()] == 0


async def test_a_token_that_does_not_expire_has_no_expiry_to_tell(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(credentials=(status(expires_in_seconds=None),))
    found = await scraped(control, client)
    assert not [name for name, _ in found if name == "token_sidecar_token_expiry_seconds"]


async def test_the_process_itself_is_measured(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    assert found["token_sidecar_build_info", (("version", "1.2.3"),)] == 1
    assert found["process_resident_memory_bytes", ()] > 1 << 20


async def test_two_scrapes_in_a_row_say_the_same(
    control: Control, client: aiohttp.ClientSession
) -> None:
    first, second = await scraped(control, client), await scraped(control, client)
    assert first.keys() == second.keys()


async def test_openmetrics_is_spoken_to_who_asks_for_it(
    control: Control, client: aiohttp.ClientSession
) -> None:
    answer = await client.get(
        control.admin + "/metrics",
        headers={"Accept": "application/openmetrics-text; version=1.0.0"},
    )
    assert answer.content_type == "application/openmetrics-text"
    assert (await answer.text()).endswith("# EOF\n")


async def test_callers_with_tokens_of_their_own_are_counted_under_one_name(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(credentials=(status("exchange", callers=7), status("inference")))
    found = await scraped(control, client)
    counted = {labels: n for (name, labels), n in found.items() if name.endswith("_callers")}
    assert counted == {(("credential", "exchange"),): 7}


async def test_refusals_and_waits_are_told_by_route(
    control: Control, client: aiohttp.ClientSession
) -> None:
    waited = totals()
    waited.refuse("client_key")
    for seconds in (0.03, 4.0, 12.0):
        waited.waited(seconds)
    waited.waiting = 2
    control.now = snapshot(routes={"": waited}, most_in_flight=2000, most_connections=10_000)
    found = await scraped(control, client)
    route = ("route", "")
    assert found["token_sidecar_refusals_total", (("reason", "client_key"), route)] == 1
    assert found["token_sidecar_requests_waiting", (route,)] == 2
    assert found["token_sidecar_token_wait_seconds_bucket", (("le", "5.0"), route)] == 2
    assert found["token_sidecar_token_wait_seconds_count", (route,)] == 3
    assert found["token_sidecar_token_wait_seconds_sum", (route,)] == 16.03
    assert found["token_sidecar_requests_in_flight_limit", ()] == 2000
    assert found["token_sidecar_connections_limit", ()] == 10_000


async def test_what_alerts_look_for_is_told_before_it_happens(
    control: Control, client: aiohttp.ClientSession
) -> None:
    found = await scraped(control, client)
    for reason in ("client_key", "connections", "host", "in_flight", "origin", "peer"):
        labels = (("reason", reason), ("route", ""))
        assert found["token_sidecar_refusals_total", labels] == 0
    for route in ("", "/infer/"):
        labels = (("error", "proxy_internal_error"), ("route", route))
        assert found["token_sidecar_proxy_errors_total", labels] == 0


async def test_reloads_secrets_and_spans_are_told_where_there_are_any(
    control: Control, client: aiohttp.ClientSession
) -> None:
    kinds = ("config_", "secret_", "trace_")
    none = {name for name, _ in await scraped(control, client)}
    assert [n for n in none if n.startswith(tuple("token_sidecar_" + kind for kind in kinds))] == [
        "token_sidecar_config_warnings"
    ]
    control.now = snapshot(
        reloads=Reloads(3, 2, last_ok=False, last_success=1.5),
        secrets=(SecretStatus("key.txt", "file", changes=4, failures=5, fault="gone"),),
        spans=Spans(6, 7),
    )
    found = await scraped(control, client)
    secret = (("kind", "file"), ("secret", "key.txt"))
    assert found["token_sidecar_config_reloads_total", (("result", "applied"),)] == 3
    assert found["token_sidecar_config_reloads_total", (("result", "refused"),)] == 2
    assert found["token_sidecar_config_last_reload_successful", ()] == 0
    assert found["token_sidecar_config_last_reload_success_timestamp_seconds", ()] == 1.5
    assert found["token_sidecar_secret_up", secret] == 0
    assert found["token_sidecar_secret_changes_total", secret] == 4
    assert found["token_sidecar_secret_read_failures_total", secret] == 5
    assert found["token_sidecar_trace_spans_total", (("result", "exported"),)] == 6
    assert found["token_sidecar_trace_spans_total", (("result", "lost"),)] == 7


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
async def test_no_exemplars_and_no_moments_of_creation_are_told(
    control: Control, client: aiohttp.ClientSession, accept: str
) -> None:
    answer = await client.get(control.metrics + "/metrics", headers={"Accept": accept})
    page = await answer.text()
    assert "_created" not in page
    assert " # {" not in page
