"""A real Prometheus scrapes a real sidecar through good and bad: every query finds something, and
alerts come out of Alertmanager.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.live.prometheus import RULES, Prometheus, panels, recorded, watching
from tests.live.report import Report
from tests.support.collector import collecting
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import Sidecar, free_ports, running, until
from tests.support.upstream import Seen, Upstream, upstream

pytestmark = pytest.mark.asyncio(loop_scope="session")
KEY = {"X-Token-Sidecar-Key": "the-key-of-the-notebook"}
LIFETIME = 9.0
AT_LEAST, AT_MOST = 20.0, 60.0
FIRES = 45.0
"""Seconds in which an alert comes, with the windows that the rules have here."""
FROM_THE_START = {
    "TokenSidecarClientsRefused",
    "TokenSidecarCredentialRefused",
    "TokenSidecarInsecureSettings",
    "TokenSidecarNotReady",
    "TokenSidecarUpstreamErrors",
    "TokenSidecarWorkersDie",
}
"""What the stage is set for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The sidecar and all that it knows."""

    home: Path
    provider: IdentityProvider
    api: Upstream
    data: str
    admin: str
    metrics: str
    collector: str

    def config(self, more: str = "") -> str:
        """One good credential, one that its provider refuses, an API that is not there."""
        (nobody,) = free_ports(1)
        return f"""\
listen: {self.data}
admin: {self.admin}
metrics: {self.metrics}
workers: 2
hold: 2s
clients: {{notebook: {{key: {KEY["X-Token-Sidecar-Key"]}}}}}
tracing: {{endpoint: "{self.collector}"}}
credentials:
  api:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{file: secret}}
  wrong:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: nonsense
    scope: another
routes:
  - {{path: /api/, upstream: "{self.api.url}/", credential: api}}
  - {{path: /wrong/, upstream: "{self.api.url}/", credential: wrong}}
  - {{path: /away/, upstream: "http://127.0.0.1:{nobody}/", credential: none}}
{more}
"""

    def write(self, text: str) -> None:
        """Another configuration, at once."""
        new = self.home / "new"
        new.write_text(text)
        new.replace(self.home / "config.yaml")

    def keep_secret(self, secret: str) -> None:
        """Another client secret, here and at the provider."""
        self.provider.clients[CLIENT[0]] = secret
        new = self.home / "new"
        new.write_text(secret)
        new.chmod(0o600)
        new.replace(self.home / "secret")


@contextlib.asynccontextmanager
async def staged(home: Path, collector: str) -> AsyncIterator[Stage]:
    """Provider and API, and the files; the first token is one that the API refuses."""
    async with IdentityProvider() as provider, upstream() as api:
        provider.lifetime = LIFETIME
        api.answer = refusing_the_first(provider)
        addresses = (f"127.0.0.1:{port}" for port in free_ports(3))
        stage = Stage(home, provider, api, *addresses, collector)
        stage.keep_secret("first")
        yield stage


def refusing_the_first(provider: IdentityProvider):
    """Answers like an API that does not take the first token."""

    def answer(seen: Seen) -> web.Response:
        refused = seen.all("authorization") == [f"Bearer {provider.issued[0]}"]
        return web.Response(status=401) if refused else web.Response(text="hello")

    return answer


async def traffic(stage: Stage, http: aiohttp.ClientSession) -> None:
    """Requests of every kind, until cancelled."""
    while True:
        for path in ("api/x", "api/y?z", "api/x", "wrong/x", "away/x", "nowhere"):
            async with http.get(f"http://{stage.data}/{path}", headers=KEY) as answer:
                await answer.read()
        async with http.post(f"http://{stage.data}/api/x", data=b"no key") as answer:
            await answer.read()
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def under_load(stage: Stage) -> AsyncIterator[None]:
    """As long as the block runs; a connection that is cut (a worker dies) is made anew."""

    async def for_ever() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await traffic(stage, http)

    clients = [asyncio.create_task(for_ever()) for _ in range(4)]
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def lose_workers(sidecar: Sidecar) -> None:
    """Kill both, one after the other's return."""
    for _ in range(2):
        workers = json.loads((await sidecar.ask("/v1/status")).text)["workers"]
        os.kill(workers[0]["pid"], signal.SIGKILL)
        await asyncio.sleep(1.5)


async def fires(prometheus: Prometheus, *names: str) -> None:
    """Wait until these alerts fire, all together."""

    async def all_of_them() -> bool:
        return set(names) <= await prometheus.firing()

    try:
        await until(all_of_them, deadline=FIRES, what="alerts")
    except TimeoutError:
        missing = set(names) - await prometheus.firing()
        raise AssertionError(f"these do not fire: {sorted(missing)}") from None


async def test_every_query_finds_something_and_alerts_arrive(
    work: Path, http: aiohttp.ClientSession, seconds: float, report: Report
) -> None:
    home = work / "prometheus"
    home.mkdir(mode=0o700)
    with collecting() as collector:
        async with staged(home, collector.url) as stage:
            stage.write(stage.config())
            async with (
                running(home / "config.yaml", home, admin=stage.admin) as sidecar,
                watching(stage.metrics, home, http) as prometheus,
                under_load(stage),
            ):
                begun = time.time()
                await good_times(stage, sidecar, prometheus, seconds)
                empty = await without_data(prometheus, begun, time.time())
                assert not empty, "\n".join(empty)
                fired = await bad_times(stage, sidecar, prometheus)
                assert await sidecar.stop() == 0
                await fires(prometheus, "TokenSidecarDown")
                await arrives(prometheus, fired | {"TokenSidecarDown"})
    report.row(
        "a real Prometheus",
        seconds=f"{time.time() - begun:.0f}",
        queries=len(panels()) + len(recorded()),
        alerts=len(fired) + 1,
        messages_of_alertmanager=len(prometheus.received),
    )


async def good_times(
    stage: Stage, sidecar: Sidecar, prometheus: Prometheus, seconds: float
) -> None:
    """Traffic, a reload, a new secret, two workers that die."""
    end = time.monotonic() + min(max(seconds, AT_LEAST), AT_MOST)
    await sidecar.healthy()
    await until(prometheus.up, deadline=20, what="a first scrape")
    await asyncio.sleep(5)
    stage.write(stage.config("log: {level: warning}"))
    stage.keep_secret("second")
    await lose_workers(sidecar)
    await asyncio.sleep(max(0.0, end - time.monotonic()))


async def without_data(prometheus: Prometheus, begin: float, end: float) -> list[str]:
    """The queries of dashboard and rules that found nothing in all this time."""
    asked = [*panels(), *((name, name) for name in recorded())]
    return [
        f"{title}: {query}"
        for title, query in asked
        if not await prometheus.samples(query, begin, end)
    ]


async def bad_times(stage: Stage, sidecar: Sidecar, prometheus: Prometheus) -> set[str]:
    """The file is broken, the secret gone, the provider away; which alerts that made fire."""
    await lose_workers(sidecar)
    await fires(prometheus, *FROM_THE_START)
    calm = await prometheus.firing()
    later = {
        "TokenSidecarReloadRefused",
        "TokenSidecarSecretUnreadable",
        "TokenSidecarRenewalFails",
        "TokenSidecarCredentialWithoutToken",
        "TokenSidecarRequestsWithoutToken",
    }
    assert not {"TokenSidecarReloadRefused", "TokenSidecarSecretUnreadable"} & calm
    assert "TokenSidecarCredentialWithoutToken" not in calm
    stage.write(stage.config("nonsense: 1"))
    (stage.home / "secret").unlink()
    await stage.provider.stop()
    await fires(prometheus, *later)
    return FROM_THE_START | later


async def arrives(prometheus: Prometheus, names: set[str]) -> None:
    """Wait until Alertmanager has told of all these."""

    async def told() -> bool:
        return names <= prometheus.told()

    await until(told, deadline=30, what=f"word from Alertmanager of {sorted(names)}")


async def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; both streams in one."""
    return await asyncio.to_thread(
        subprocess.run,
        ["promtool", *arguments],
        cwd=RULES,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


async def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    finished = await promtool("check", "rules", "recording.rules.yml", "alerts.rules.yml")
    assert finished.returncode == 0, finished.stdout


async def test_every_alert_fires_where_it_should_and_nowhere_else() -> None:
    finished = await promtool("test", "rules", "tests.yml")
    assert finished.returncode == 0, finished.stdout


async def test_an_alert_that_never_fires_is_found_by_its_test(tmp_path: Path) -> None:
    for file in RULES.glob("*.yml"):
        text = file.read_text().replace("token_sidecar_store_up == 0", "token_sidecar_store_up < 0")
        (tmp_path / file.name).write_text(text)
    finished = await promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert finished.returncode == 1
    assert "TokenSidecarStoreDown" in finished.stdout


async def test_promtool_finds_nothing_wrong_with_what_is_exposed(work: Path) -> None:
    home = work / "exposed"
    home.mkdir(mode=0o700)
    with collecting() as collector:
        async with staged(home, collector.url) as stage:
            stage.write(stage.config())
            async with running(home / "config.yaml", home, admin=stage.admin) as sidecar:
                await sidecar.healthy()
                page = (await sidecar.ask("/metrics")).text
                assert await sidecar.stop() == 0
    finished = await promtool("check", "metrics", given=page)
    assert (finished.returncode, finished.stdout) == (0, "")
