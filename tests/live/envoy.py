"""Envoy's ``jwt_authn`` before the strict upstream: the API's front door, as vendors have one.

Each tenant has a path of its own, its tokens' issuer and, where it matters, their audience.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.live.ports import accepts
from tests.support.process import until

TYPES = "type.googleapis.com/envoy.extensions.filters"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens open ``/name/``: an issuer, where its keys are, and an audience, if any."""

    name: str
    issuer: str
    keys: str
    audience: str | None = None


class Envoy:
    """A running Envoy; ``denied`` says how many requests its filter turned away."""

    def __init__(self, work: Path, port: int, admin_port: int) -> None:
        self._file = work / "envoy.json"
        self._log = work / "envoy.log"
        self._admin = f"http://127.0.0.1:{admin_port}"
        self._process: Process | None = None
        self.port = port

    async def start(self, trusts: list[Trust], upstream_port: int, keycloak_port: int) -> None:
        """Start it and wait until it has the providers' keys and listens."""
        admin_port = int(self._admin.rpartition(":")[2])
        whole = bootstrap(trusts, self.port, admin_port, upstream_port, keycloak_port)
        self._file.write_text(json.dumps(whole, indent=1))
        program = str(Path(sys.executable).with_name("envoy"))
        arguments = ("-c", str(self._file), "--concurrency", "1", "--disable-hot-restart")
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(program, *arguments, "-l", "warning"), stdout=log, stderr=log
            )
        what = f"Envoy's start (see {self._log})"
        await until(lambda: accepts(self.port), deadline=30, what=what)

    async def denied(self, http: aiohttp.ClientSession) -> int:
        """How many requests were answered 401 or 403 here and never got to the upstream."""
        url = f"{self._admin}/stats?format=json&filter=jwt_authn.denied"
        async with http.get(url) as answer:
            stats = await answer.json(content_type=None)
        return sum(int(one["value"]) for one in stats["stats"])

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def bootstrap(
    trusts: list[Trust], port: int, admin_port: int, upstream_port: int, keycloak_port: int
) -> dict[str, Any]:
    """Envoy's whole configuration."""
    listener = {
        "name": "api",
        "address": address(port),
        "filter_chains": [{"filters": [connection_manager(trusts)]}],
    }
    clusters = [cluster("upstream", upstream_port), cluster("keycloak", keycloak_port)]
    resources = {"listeners": [listener], "clusters": clusters}
    return {"admin": {"address": address(admin_port)}, "static_resources": resources}


def connection_manager(trusts: list[Trust]) -> dict[str, Any]:
    """HTTP in, the token checked, everything to the upstream without a timeout."""
    kind = f"{TYPES}.network.http_connection_manager.v3.HttpConnectionManager"
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{TYPES}.http.router.v3.Router"},
    }
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": kind,
            "stat_prefix": "api",
            "route_config": {
                "virtual_hosts": [{"name": "api", "domains": ["*"], "routes": [route]}]
            },
            "http_filters": [jwt_filter(trusts), router],
        },
    }


def jwt_filter(trusts: list[Trust]) -> dict[str, Any]:
    """Every tenant's path wants that tenant's tokens."""
    rules = [
        {"match": {"prefix": f"/{trust.name}/"}, "requires": {"provider_name": trust.name}}
        for trust in trusts
    ]
    return {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{TYPES}.http.jwt_authn.v3.JwtAuthentication",
            "providers": {trust.name: provider(trust) for trust in trusts},
            "rules": rules,
        },
    }


def provider(trust: Trust) -> dict[str, Any]:
    """One issuer; without the skew of one second Envoy would forgive sixty."""
    keys = {
        "http_uri": {"uri": trust.keys, "cluster": "keycloak", "timeout": "5s"},
        "cache_duration": {"seconds": 3600},
        "async_fetch": {},
    }
    audiences = {"audiences": [trust.audience]} if trust.audience else {}
    fixed = {"issuer": trust.issuer, "forward": True, "clock_skew_seconds": 1}
    return fixed | {"remote_jwks": keys} | audiences


def cluster(name: str, port: int) -> dict[str, Any]:
    """A server on loopback, with room for many connections."""
    endpoint = {"endpoint": {"address": address(port)}}
    room = {"max_connections": 4096, "max_requests": 4096, "max_pending_requests": 4096}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": {"thresholds": [room]},
    }


def address(port: int) -> dict[str, Any]:
    """A loopback address as Envoy writes it."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
