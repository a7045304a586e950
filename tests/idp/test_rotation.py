"""A client's secret that changes every five seconds under tokens that live as long: all are served.

The provider and the secret's place change one after the other, in both orders, up to a second
apart.
"""

from __future__ import annotations

import asyncio
import json
import random
from urllib.parse import parse_qs

import pytest

from proxy.config.model import Provider
from proxy.idp.client import Registration
from proxy.idp.client_credentials import ClientCredentialsSource
from proxy.idp.endpoint import Endpoints
from proxy.idp.requests import TokenRequests
from proxy.message import Answer, Request
from proxy.oauth.authentication import ClientAuthentication
from proxy.runtime.rereading import Rereading
from proxy.secret import Secret
from proxy.secrets.kept import Kept
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from tests.support.clock import FakeClock

PERIOD, APART, LIFETIME, HOLD = 5.0, 1.0, 5, 10.0
ROTATIONS = 60


class Here:
    """The provider, the place, and the credential between them."""

    def __init__(self, *, slow: bool, seed: int) -> None:
        self.clock = FakeClock()
        self.random = random.Random(seed)
        self.known = self.place = "secret-0"
        self.issued = self.refused = 0
        self.slowest = 0.0
        self.kept = Kept(self, self._anew if slow else None, self.clock)
        # Slow places are read by themselves too seldom to matter here.
        self.rereading = Rereading(self.kept, 3600.0 if slow else None, self.clock, self._changed)
        provider = Provider(token_url="https://i/token")
        registration = Registration("api", ClientAuthentication.POST, secret=self.kept)
        requests = TokenRequests(
            registration, Endpoints(provider, self, self.clock), self, self.clock
        )
        self.credential = Credential(
            "api",
            source=ClientCredentialsSource(requests),
            store=MemoryStore(),
            identity="api",
            renewal=RenewalPolicy(),
            clock=self.clock,
            random=self.random,
        )

    def read(self) -> Secret:
        """The place, as the file or the program that it is."""
        return Secret(self.place)

    async def _anew(self) -> Secret:
        await self.clock.sleep(0.05)
        return self.read()

    def warnings(self) -> tuple[str, ...]:
        return ()

    def _changed(self) -> None:
        self.credential.secret_changed(renew=False)

    async def send(self, request: Request) -> Answer:
        """The provider's judgement, after 50 ms."""
        sent = self.clock.now()
        await self.clock.sleep(0.05)
        (shown,) = parse_qs(request.body.decode())["client_secret"]
        if shown == self.known:
            self.issued += 1
            content: dict[str, object] = {"access_token": f"t{self.issued}", "token_type": "Bearer"}
            content["expires_in"] = LIFETIME
        else:
            self.refused += 1
            content = {"error": "unauthorized_client"}
        status = 200 if shown == self.known else 401
        return Answer(status, {}, json.dumps(content).encode(), sent, self.clock.now())

    async def rotate(self) -> None:
        for number in range(1, ROTATIONS + 1):
            apart = self.random.uniform(0, APART)
            first, second = ("known", "place") if self.random.random() < 0.5 else ("place", "known")
            setattr(self, first, f"secret-{number}")
            await self.clock.sleep(apart)
            setattr(self, second, f"secret-{number}")
            if not self.kept.is_slow:  # seen by the watch, within a second and a half
                self.clock.call_later(self.random.uniform(0.5, 1.5), self.rereading.look)
            await self.clock.sleep(PERIOD - apart)

    async def ask(self) -> None:
        """One program; raises if it is ever told that there is no token."""
        end = self.clock.monotonic() + ROTATIONS * PERIOD
        while (began := self.clock.monotonic()) < end:
            await self.credential.acquire(HOLD)
            self.slowest = max(self.slowest, self.clock.monotonic() - began)
            await self.clock.sleep(0.1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("slow", [False, True])
async def test_no_request_goes_without_a_token(slow: bool, seed: int) -> None:
    here = Here(slow=slow, seed=seed)
    here.kept.read()
    here.rereading.start()
    here.credential.start()
    await here.clock.advance(1.0)  # the first secret is known to be right
    work = asyncio.gather(here.ask(), here.rotate())
    await here.clock.advance(ROTATIONS * PERIOD + HOLD)
    await work
    assert here.refused >= ROTATIONS / (2 if slow else 20), "the rotations were not felt"
    assert here.issued >= ROTATIONS
    assert here.slowest < 5.0
    assert here.kept.changes >= ROTATIONS - 2
    here.rereading.close()
    await here.credential.close()
