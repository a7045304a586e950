"""The quick starts, run as they are written, by a reader with a provider and an API of the tests.

docs/quickstart-kubernetes.md is run by ``make kube``; the installation by ``make dist``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.consent import People
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import free_ports
from tests.support.reader import Reader
from tests.support.readme import REPOSITORY
from tests.support.upstream import Seen, Upstream, upstream

DOCS = REPOSITORY / "docs"
SCREEN = 82


@asynccontextmanager
async def reader(
    home: Path, provider: IdentityProvider, api: Upstream, client: str
) -> AsyncIterator[Reader]:
    def judged(seen: Seen) -> web.Response:
        last = f"Bearer {provider.issued[-1]}"
        return web.Response(status=200 if seen.all("Authorization") == [last] else 401)

    api.answer = judged
    data, admin = free_ports(2)
    own = {
        "https://login.example.com/realms/main": provider.issuer,
        "https://api.example.com": api.url,
        "127.0.0.1:8080": f"127.0.0.1:{data}",
        "127.0.0.1:8081": f"127.0.0.1:{admin}",
        f"client_id: {client}": f"client_id: {CLIENT[0]}",
    }
    async with Reader(home, own, {"CLIENT_SECRET": CLIENT[1]}) as following:
        yield following


async def test_an_old_program_is_served_after_five_steps(home: Path) -> None:
    async with (
        IdentityProvider() as provider,
        upstream() as api,
        reader(home, provider, api, "reports") as following,
    ):
        await following.follow(DOCS / "quickstart-legacy-app.md")
        assert [(seen.method, seen.target) for seen in api.seen] == [("GET", "/v1/reports")]


async def test_one_login_serves_all_tools(home: Path) -> None:
    provider = IdentityProvider()
    provider.clients[CLIENT[0]] = None
    provider.lifetime = 300
    provider.refresh_lifetime = 0
    people = People(provider)
    async with provider, upstream() as api, reader(home, provider, api, "my-tool") as following:
        people.announce()
        await following.follow(DOCS / "quickstart-shared-store.md")
        assert [seen.target for seen in api.seen] == ["/v1/reports"] * 3
    assert provider.grants == ["authorization_code"]
    assert len(people.revoked) >= 1


@pytest.mark.parametrize("page", sorted(DOCS.glob("quickstart-*.md")), ids=lambda page: page.stem)
def test_a_quick_start_is_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= SCREEN
