"""The strict API behind Envoy, a program of its own: ``python -m tests.live.upstream PORT PORT``.

It holds ``exp`` against the clock when a request's head arrives, without any leeway, and keeps a
ledger per tenant. The second port is for the tests: it tells the ledger and revokes tokens.
Signatures were checked before a request came here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ARROW = "application/vnd.apache.arrow.file"


@dataclass(slots=True)
class Ledger:
    """What one tenant's requests were.

    Attributes:
        late: seconds past ``exp`` of every token that came too late.
        processed: request id → how often it was answered 200.
        tokens: the distinct tokens seen, by ``jti``.
    """

    answers: Counter[int] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)
    processed: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)

    def told(self) -> dict[str, Any]:
        """What there is to tell, for JSON."""
        counts = {"answers": self.answers, "processed": self.processed}
        return counts | {"late": self.late, "tokens": sorted(self.tokens)}


class StrictApi:
    """Answers a tenant's requests and writes its ledger."""

    def __init__(self) -> None:
        self._ledgers: defaultdict[str, Ledger] = defaultdict(Ledger)

    async def serve(self, request: web.Request) -> web.Response:
        """Judge the token at once, read the body, and see whether the token was revoked by then."""
        arrived = time.time()
        ledger = self._ledgers[request.match_info["tenant"]]
        claims = claims_of(request.headers.getall("Authorization", []))
        refusal = judge(claims, ledger, arrived)
        if refusal is not None:
            return refuse(refusal, ledger)
        ledger.tokens.add(claims["jti"])
        body = await request.read()
        if claims["jti"] in ledger.revoked:
            return refuse("revoked meanwhile", ledger)
        ledger.answers[200] += 1
        ledger.processed[request.headers.get("X-Request-Id", "")] += 1
        return received(request, claims, body)

    async def ledger(self, request: web.Request) -> web.Response:
        """One tenant's ledger as JSON."""
        return web.json_response(self._ledgers[request.match_info["tenant"]].told())

    async def revoke(self, request: web.Request) -> web.Response:
        """Every token this tenant has shown is worthless from now on."""
        ledger = self._ledgers[request.match_info["tenant"]]
        ledger.revoked |= ledger.tokens
        return web.json_response({"revoked": len(ledger.revoked)})


def judge(claims: dict[str, Any], ledger: Ledger, arrived: float) -> str | None:
    """Why a request is refused, or None."""
    if not claims:
        return "no token"
    if claims["exp"] <= arrived:
        ledger.late.append(arrived - claims["exp"])
        return "expired"
    return "revoked" if claims["jti"] in ledger.revoked else None


def refuse(refusal: str, ledger: Ledger) -> web.Response:
    """Nothing was processed."""
    ledger.answers[401] += 1
    return web.json_response({"refused": refusal}, status=401)


def claims_of(authorization: list[str]) -> dict[str, Any]:
    """The claims of exactly one bearer token; empty for anything else."""
    if len(authorization) != 1:
        return {}
    scheme, _, token = authorization[0].partition(" ")
    if scheme != "Bearer" or token.count(".") != 2:
        return {}
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return dict(claims)


def received(request: web.Request, claims: dict[str, Any], body: bytes) -> web.Response:
    """An Arrow file comes back as it is; of anything else: what it was and whose token came."""
    if request.content_type == ARROW:
        return web.Response(body=body, content_type=ARROW)
    about = {"path": request.raw_path, "sha256": hashlib.sha256(body).hexdigest()}
    about |= {name: claims.get(name) for name in ("typ", "azp", "iss", "preferred_username")}
    return web.json_response(about)


async def listen(application: web.Application, port: int) -> None:
    """Serve an application on a loopback port."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()


async def main(port: int, ledger_port: int) -> None:
    """Serve both ports until the process is ended."""
    api = StrictApi()
    strict = web.Application(client_max_size=1 << 30)
    strict.router.add_route("*", "/{tenant}/{rest:.*}", api.serve)
    ledgers = web.Application()
    ledgers.router.add_get("/{tenant}", api.ledger)
    ledgers.router.add_post("/{tenant}/revoke", api.revoke)
    await listen(strict, port)
    await listen(ledgers, ledger_port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
