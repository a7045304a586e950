"""The outside world of the demonstration as a process of its own: the provider and the API.

Says on its standard output where it is, as one line of JSON, and ends when its standard input
ends: it can't outlive whoever started it. Run as ``python -m proxy.demo.world``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from proxy.demo.bearer import Verifier
from proxy.demo.calls import get_json
from proxy.demo.provider import AUDIENCE, Provider
from proxy.demo.servers import InferenceServer, ProviderServer, serve
from proxy.demo.setting import BY_HAND, CLIENT, PASSWORD, SECRET, USER, Where

REALM = "/realms/demo"


async def run(provider_of: Callable[[str], Provider], ended: Callable[[], object]) -> None:
    """Serve both until ``ended``, which blocks, returns."""
    (door, origin), (gate, api) = _bound(), _bound()
    provider = provider_of(origin + REALM)
    counters: list[Callable[[], dict[str, Any]]] = []

    def ledger() -> dict[str, Any]:
        return {key: value for counter in counters for key, value in counter().items()}

    issuing = await serve(ProviderServer(provider, ledger).application(REALM), door)
    # The API learns the keys as any API would: over the network.
    jwks = await asyncio.to_thread(get_json, provider.metadata()["jwks_uri"])
    verifier = Verifier(jwks, issuer=provider.issuer, audience=AUDIENCE, wall=time.time)
    counters += (provider.ledger, verifier.ledger)
    inferring = await serve(InferenceServer(verifier).application(), gate)
    where = Where(issuer=provider.issuer, ledger=f"{origin}/ledger", api=api)
    sys.stdout.write(json.dumps(asdict(where)) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(ended)
    await asyncio.gather(issuing.cleanup(), inferring.cleanup())


def _bound() -> tuple[socket.socket, str]:
    """A socket on a free port of the loopback, and its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def main() -> int:
    """Take the secrets from the environment, the lifetime from the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lifetime", type=int, default=6, help="seconds that a token lives")
    lifetime = parser.parse_args().lifetime
    secret, password = os.environ[SECRET], os.environ[PASSWORD]

    def provider(issuer: str) -> Provider:
        clients, users = {CLIENT: secret, BY_HAND: secret}, {USER: password}
        return Provider(issuer, clients=clients, users=users, lifetime=lifetime, wall=time.time)

    asyncio.run(run(provider, sys.stdin.buffer.read))
    return 0


if __name__ == "__main__":
    sys.exit(main())
