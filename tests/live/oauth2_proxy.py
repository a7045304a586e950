"""One oauth2-proxy before an upstream, as it stands in Kubeflow's ingress, with Dex as provider.

Who has no session is sent to Dex, whatever the method; who has one gets to the upstream.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.live.dex import Client
from tests.live.processes import serving
from tests.support.process import free_port

CLIENT_ID, CLIENT_SECRET = "kubeflow-oidc-authservice", "a-guard-of-the-ingress"
COOKIE = "oauth2_proxy_kubeflow"


@dataclass(frozen=True, slots=True)
class Guard:
    """An oauth2-proxy that may be started; Dex must know its ``client`` first."""

    port: int

    @property
    def url(self) -> str:
        """Where programs ask."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def client(self) -> Client:
        """What Dex must know of it."""
        return Client(CLIENT_ID, (f"{self.url}oauth2/callback",), CLIENT_SECRET)

    @contextlib.asynccontextmanager
    async def running(
        self, issuer: str, upstream: str, work: Path, *, lifetime: float, more: tuple[str, ...] = ()
    ) -> AsyncIterator[None]:
        """Before ``upstream`` until the block ends; a session lives ``lifetime`` seconds.

        ``more``: further options. Its log is ``work/oauth2-proxy-PORT.log``.
        """
        command = (
            os.environ["OAUTH2_PROXY_PROGRAM"],
            "--provider=oidc",
            f"--oidc-issuer-url={issuer}",
            f"--client-id={CLIENT_ID}",
            f"--client-secret={CLIENT_SECRET}",
            f"--http-address=127.0.0.1:{self.port}",
            f"--redirect-url={self.url}oauth2/callback",
            f"--upstream={upstream}",
            f"--cookie-name={COOKIE}",
            "--cookie-secret=0123456789abcdef0123456789abcdef",
            "--cookie-secure=false",
            f"--cookie-expire={lifetime:g}s",
            "--email-domain=*",
            "--scope=openid profile email",
            "--skip-provider-button=true",
            "--pass-authorization-header=true",
            *more,
        )
        log = work / f"oauth2-proxy-{self.port}.log"
        async with serving(*command, port=self.port, log=log):
            yield


def guard() -> Guard:
    """One on a free port."""
    return Guard(free_port())
