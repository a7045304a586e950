"""docs/quickstart-legacy-app.md, done by one who has a Keycloak and an API that checks tokens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.live.admin import Administrator
from tests.live.keycloak import Keycloak
from tests.live.verified_api import Ledger, verified_api
from tests.support.process import free_ports
from tests.support.reader import Reader
from tests.support.readme import REPOSITORY

pytestmark = pytest.mark.asyncio(loop_scope="session")
REALM, SECRET = "quick-start", "what-this-provider-gave"


@pytest.fixture
def home() -> Iterator[Path]:
    """Below a short path: Unix sockets allow no long one."""
    with tempfile.TemporaryDirectory(prefix="reader-") as made:
        yield Path(made)


async def test_an_old_program_is_served_on_a_real_keycloak(
    keycloak: Keycloak, http: aiohttp.ClientSession, home: Path
) -> None:
    administrator = Administrator(keycloak, http)
    await administrator.realm(REALM)
    await administrator.client(REALM, "reports", SECRET, lifespan=60)
    issuer = f"{keycloak.base}/realms/{REALM}"
    ledger = Ledger(issuer)
    data, admin = free_ports(2)
    async with verified_api(http) as api:
        await api.expect("v1", ledger, f"{issuer}/protocol/openid-connect/certs")
        own = {
            "https://login.example.com/realms/main": issuer,
            "https://api.example.com": api.url,
            "127.0.0.1:8080": f"127.0.0.1:{data}",
            "127.0.0.1:8081": f"127.0.0.1:{admin}",
        }
        async with Reader(home, own, {"CLIENT_SECRET": SECRET}) as reader:
            await reader.follow(REPOSITORY / "docs" / "quickstart-legacy-app.md")
    assert dict(ledger.answers) == {200: 1}
