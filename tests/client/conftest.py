"""A provider, an API that judges tokens, another origin beside it, and a configuration."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from proxy.client import TokenSource
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.upstream import Seen, Upstream, upstream

SECRET = CLIENT[1]


@dataclass
class Scene:
    """What a program with a token sees."""

    home: Path
    provider: IdentityProvider
    api: Upstream
    other: Upstream
    refused: set[str] = field(default_factory=set)
    sources: list[TokenSource] = field(default_factory=list)

    def judge(self, seen: Seen) -> web.Response:
        """Redirects where the path says so; else takes the provider's tokens but the refused."""
        for name, status in (("move", 302), ("keep", 307)):
            if seen.target.startswith(f"/{name}?to="):
                return web.Response(status=status, headers={"Location": seen.target[9:]})
        token = " ".join(seen.all("Authorization")).removeprefix("Bearer ")
        good = token in self.provider.issued and token not in self.refused
        return web.Response(status=200 if good else 401, text=token)

    @property
    def tokens(self) -> list[str]:
        """What the API was sent, request by request."""
        return [" ".join(seen.all("Authorization")) for seen in self.api.seen]

    def config(self, more: str = "", *, credential: str = "") -> Path:
        """A configuration file; the route is of no use to a program that asks for tokens."""
        path = self.home / "config.yaml"
        path.write_text(
            f"{more}\ncredentials:\n  api:\n    token_url: {self.provider.token_url}\n"
            f"    client_id: {CLIENT[0]}\n    client_secret: {{env: API_SECRET}}\n{credential}\n"
            f"routes:\n  - {{path: /api/, upstream: {self.api.url}/v1/, credential: api}}\n"
        )
        return path

    @property
    def environ(self) -> dict[str, str]:
        """With the secret in it, and no sidecar's socket."""
        return {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "runtime"),
            "API_SECRET": SECRET,
            "STORE_KEY": "00" * 32,
        }

    def source(self, more: str = "", *, credential: str = "") -> TokenSource:
        """A source without a sidecar; it is closed at the end."""
        config = self.config(more, credential=credential)
        source = TokenSource("api", config=config, environ=self.environ)
        self.sources.append(source)
        return source


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: Unix sockets allow no long one."""
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        yield Path(directory)


@pytest.fixture
async def scene(home: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(IdentityProvider())
        api = await stack.enter_async_context(upstream())
        other = await stack.enter_async_context(upstream())
        scene = Scene(home, provider, api, other)
        api.answer = scene.judge
        yield scene
        for source in scene.sources:
            source.close()
