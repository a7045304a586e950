"""A real Prometheus with the rules of ``deploy/prometheus``, and an Alertmanager that tells us.

Pauses and windows of the rules are shortened, nothing else: what takes minutes there takes seconds.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.live.processes import serving
from tests.support.process import REPOSITORY, free_ports

RULES = REPOSITORY / "deploy" / "prometheus"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "token-sidecar.json"
WINDOW = "10s"
VARIABLES = {"$__rate_interval": WINDOW, "$job": ".+", "$instance": ".+"}


def shortened(home: Path) -> list[str]:
    """The rules' files, copied into ``home``."""
    copies = []
    for file in RULES.glob("*.rules.yml"):
        text = re.sub(r"\[\d+m\]", f"[{WINDOW}]", file.read_text())
        text = re.sub(r"^( +for:) \d+[mh]$", r"\1 1s", text, flags=re.MULTILINE)
        copy = home / file.name
        copy.write_text(text)
        copies.append(str(copy))
    return copies


def recorded() -> list[str]:
    """The names that the recording rules give."""
    whole = yaml.safe_load((RULES / "recording.rules.yml").read_text())
    return [rule["record"] for group in whole["groups"] for rule in group["rules"]]


def panels() -> list[tuple[str, str]]:
    """Title and query of everything on the dashboard, its variables filled in."""
    found = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            found.append((panel["title"], query))
    return found


@dataclass
class Prometheus:
    """Its API, and what Alertmanager has said so far."""

    url: str
    http: aiohttp.ClientSession
    received: list[dict[str, Any]] = field(default_factory=list)

    async def samples(self, query: str, begin: float, end: float) -> list[float]:
        """Every value that a query had between two moments, looked at each second."""
        asked = {"query": query, "start": begin, "end": end, "step": "1"}
        whole = await self._ask("query_range", asked)
        values = (float(value) for series in whole["result"] for _, value in series["values"])
        return [value for value in values if not math.isnan(value)]

    async def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        alerts = (await self._ask("alerts", {}))["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    async def up(self) -> bool:
        """Whether its target could be scraped lately."""
        targets = (await self._ask("targets", {}))["activeTargets"]
        return [one["health"] for one in targets] == ["up"]

    def told(self) -> set[str]:
        """The alerts that came out of Alertmanager as firing."""
        alerts = (one for message in self.received for one in message["alerts"])
        return {one["labels"]["alertname"] for one in alerts if one["status"] == "firing"}

    async def _ask(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/v1/{what}", params=asked) as answer:
            whole = await answer.json()
            assert whole["status"] == "success", whole
            return whole["data"]


@contextlib.asynccontextmanager
async def watching(
    target: str, home: Path, http: aiohttp.ClientSession
) -> AsyncIterator[Prometheus]:
    """Prometheus scrapes ``target`` once a second; its alerts go through Alertmanager to us."""
    port, manager_port = free_ports(2)
    prometheus = Prometheus(f"http://127.0.0.1:{port}", http)

    async def hear(request: web.Request) -> web.Response:
        prometheus.received.append(await request.json())
        return web.Response()

    application = web.Application()
    application.router.add_post("/", hear)
    async with TestServer(application) as receiver:
        manager = _alertmanager(home, str(receiver.make_url("/")))
        configured = _prometheus(home, target, manager_port)
        async with (
            serving(
                *("prometheus-alertmanager", f"--config.file={manager}"),
                *(f"--web.listen-address=127.0.0.1:{manager_port}", "--cluster.listen-address="),
                f"--storage.path={home / 'manager'}",
                port=manager_port,
                log=home / "alertmanager.log",
            ),
            serving(
                *("prometheus", f"--config.file={configured}"),
                *(f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={home / 'tsdb'}"),
                port=port,
                log=home / "prometheus.log",
            ),
        ):
            yield prometheus


def _alertmanager(home: Path, receiver: str) -> Path:
    told = {
        "route": {
            "receiver": "test",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
        },
        "receivers": [{"name": "test", "webhook_configs": [{"url": receiver}]}],
    }
    file = home / "alertmanager.yml"
    file.write_text(yaml.safe_dump(told))
    return file


def _prometheus(home: Path, target: str, manager_port: int) -> Path:
    told = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": shortened(home),
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{manager_port}"]}]}]
        },
        "scrape_configs": [
            {"job_name": "token-sidecar", "static_configs": [{"targets": [target]}]}
        ],
    }
    file = home / "prometheus.yml"
    file.write_text(yaml.safe_dump(told))
    return file
