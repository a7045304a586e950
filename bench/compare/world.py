"""One program between a client and an API, with a provider beside it: each started anew.

Envoy runs its credential_injector with client credentials, as in bench/cost; the script asks curl
for a token and then for the API; oauth2-proxy stands before the API, as it does for browsers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from bench.cost.peers import Scene, envoy, ours
from tests.support.consent import People
from tests.support.identity_provider import IdentityProvider
from tests.support.process import free_port
from tests.support.upstream import Seen, Upstream, upstream

SCRIPT: Final = """token=$(curl -s -u bench:bench-secret -d grant_type=client_credentials "$1" |
  sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')
curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$2"
"""
PLAIN: Final[Mapping[str, str]] = {}
"""A call without further fields."""


@dataclass
class World:
    """What is around one program: its provider, the API, and how a client asks.

    Attributes:
        ask: one GET with these further fields; the status, 0 where nobody answered.
        stale: how many expired tokens came to the API.
        refuse: how many calls the API answers 401 next, whatever comes.
    """

    provider: IdentityProvider
    api: Upstream
    ask: Callable[[Mapping[str, str]], Awaitable[int]] = field(init=False)
    stale: int = 0
    refuse: int = 0

    def judge(self, seen: Seen) -> web.Response:
        """The API's answer."""
        token = (seen.all("Authorization") or [""])[0].removeprefix("Bearer ")
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=401)
        if token not in self.provider.issued:
            return web.Response(status=401)
        middle = token.split(".")[1]
        ended = json.loads(base64.urlsafe_b64decode(middle + "=="))["exp"] < time.time()
        self.stale += ended
        return web.Response(status=401 if ended else 200)


async def by_http(port: int, fields: Mapping[str, str]) -> int:
    """The status that a program on this port gives."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        try:
            url = f"http://127.0.0.1:{port}/reports"
            async with session.get(url, headers=fields, allow_redirects=False) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0


async def by_script(world: World, _: Mapping[str, str]) -> int:
    """The status that the script prints."""
    arguments = ("sh", "-c", SCRIPT, "-", world.provider.url + "/token", world.api.url + "/reports")
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    out, _none = await process.communicate()
    return int(out or 0)


def guard(scene: Scene, port: int) -> list[str]:
    """oauth2-proxy before the API."""
    return [
        os.environ["OAUTH2_PROXY_PROGRAM"],
        "--provider=oidc",
        f"--oidc-issuer-url=http://127.0.0.1:{scene.provider}/realms/test",
        "--client-id=bench",
        "--client-secret=bench-secret",
        f"--http-address=127.0.0.1:{port}",
        f"--upstream=http://127.0.0.1:{scene.upstream}",
        "--cookie-secret=0123456789abcdef0123456789abcdef",
        "--email-domain=*",
        "--skip-provider-button=true",
    ]


PROGRAMS = {"token-sidecar": ours, "Envoy": envoy, "oauth2-proxy": guard, "script": None}


@asynccontextmanager
async def standing(name: str, lifetime: float) -> AsyncIterator[World]:
    """The program between a client and everything else."""
    provider = IdentityProvider()
    provider.clients, provider.signed = {"bench": "bench-secret"}, True
    provider.lifetime = lifetime
    endpoint = provider._token  # noqa: SLF001 - the same, at the address that Envoy's file has
    provider.further_routes.append(web.post("/token", endpoint))
    people = People(provider)
    async with AsyncExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="compare-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        await stack.enter_async_context(provider)
        people.announce()
        world = World(provider, await stack.enter_async_context(upstream()))
        world.api.answer = world.judge
        make, port = PROGRAMS[name], free_port()
        if make is None:
            world.ask = lambda fields: by_script(world, fields)
        else:
            places = [int(url.rpartition(":")[2]) for url in (provider.url, world.api.url)]
            command = make(Scene(home, *places, home / "none", tls=False), port)
            await stack.enter_async_context(running(command, port, home))
            world.ask = lambda fields: by_http(port, fields)
        yield world


@asynccontextmanager
async def running(command: list[str], port: int, home: Path) -> AsyncIterator[None]:
    """The process, from when it takes connections."""
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        while not await by_http(port, PLAIN):
            if process.returncode is not None:
                raise RuntimeError((home / "log").read_text())
            await asyncio.sleep(0.1)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
