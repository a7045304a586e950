"""Traces of the real process, at a collector that decodes what comes over the wire."""

from __future__ import annotations

import time

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, SECRET, Scene
from tests.support.collector import CLIENT, INTERNAL, SERVER, Collector, collecting
from tests.support.process import Sidecar, free_port, running, until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}
ASKED = 20


@pytest.fixture(params=[1, 2])
def workers(request: pytest.FixtureRequest) -> int:
    return int(request.param)


async def ask(scene: Scene, count: int, headers: dict[str, str] | None = None) -> None:
    for _ in range(count):  # each on a connection of its own, so that every worker gets some
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{scene.url}/api/x?token=hidden", headers=headers) as answer,
        ):
            assert answer.status == 200


async def scraped(sidecar: Sidecar, name: str) -> float | None:
    lines = (await sidecar.ask("/metrics")).text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), None)


async def test_requests_and_renewals_arrive_as_spans(scene: Scene) -> None:
    with collecting() as collector:
        config = scene.config(f"tracing: {{endpoint: '{collector.url}', service: of-tests}}")
        async with scene.running(config) as sidecar:
            await scene.at_work(sidecar)
            await ask(scene, ASKED, HEADERS)
            await ask(scene, 1)
            assert scene.upstream.seen[0].all("tracestate") == ["a=1"]
            assert await scraped(sidecar, "token_sidecar_trace_spans_total") is not None
            assert await sidecar.stop() == 0
        check(collector, scene)


def check(collector: Collector, scene: Scene) -> None:
    server, client = collector.of_kind(SERVER), collector.of_kind(CLIENT)
    assert len(server) == ASKED + 1
    joined = [span for span in server if span.trace == TRACE]
    assert [span.parent for span in joined] == [SPAN] * ASKED
    assert {span.resource["service.name"] for span in collector.spans} == {"of-tests"}
    forwarded = {span.span for span in client if span.parent in {one.span for one in server}}
    contexts = [seen.all("traceparent")[0].split("-") for seen in scene.upstream.seen]
    assert {context[2] for context in contexts} == forwarded
    (renewal,) = collector.of_kind(INTERNAL)
    assert (renewal.name, renewal.failed) == ("token renewal api", False)
    (asked,) = [span for span in client if span.parent == renewal.span]
    assert asked.attributes["url.full"] == scene.provider.token_url
    assert asked.attributes["http.response.status_code"] == 200
    sent = b"".join(collector.bodies)
    token = scene.upstream.seen[0].all("authorization")[0].removeprefix("Bearer ")
    for secret in (SECRET, "hidden", token):
        assert secret.encode() not in sent


async def test_a_collector_that_is_away_costs_spans_and_no_request(scene: Scene) -> None:
    dead = f"http://127.0.0.1:{free_port()}/v1/traces"
    environ = ENVIRON | {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    config = scene.config(f"tracing: {{endpoint: '{dead}'}}")
    async with running(config, scene.home, admin=scene.admin, environ=environ) as sidecar:
        await scene.at_work(sidecar)
        begun = time.monotonic()
        await ask(scene, ASKED)
        assert time.monotonic() - begun < 10
        lost = 'token_sidecar_trace_spans_total{result="lost"}'

        async def counted() -> bool:
            return bool(await scraped(sidecar, lost))

        await until(counted, deadline=40, what="lost spans")
        await sidecar.says("does not take spans", deadline=10)
        assert await sidecar.stop() == 0


async def test_without_tracing_the_callers_context_passes_and_opentelemetry_is_not_there(
    scene: Scene,
) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        await ask(scene, 1, HEADERS)
        assert scene.upstream.seen[0].all("traceparent") == [HEADERS["traceparent"]]
        assert await scraped(sidecar, "token_sidecar_trace_spans_total") is None
        maps = (await read(f"/proc/{sidecar.pid}/maps")).lower()
        assert "_upb" not in maps  # protobuf's own library, which nothing else loads
        assert await sidecar.stop() == 0


async def read(path: str) -> str:
    with open(path) as file:  # noqa: ASYNC230, PTH123 - the kernel's
        return file.read()
