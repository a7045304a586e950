"""A control plane over real sockets, reading a snapshot that the test makes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import aiohttp
import pytest

from proxy.control import application
from proxy.control.guarding import own_origins
from proxy.control.lending import Lendables
from proxy.control.snapshot import Snapshot
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.plane.totals import AccessRecord, RouteTotals
from proxy.runtime.sockets import bind
from proxy.secret import Secret
from proxy.tokens.status import CredentialStatus, LastError

KEYS = {"notebook": Secret("notebook-key"), "batch": Secret("batch-key")}


def status(name: str = "inference", **changed: object) -> CredentialStatus:
    usual = CredentialStatus(
        name=name,
        state="valid",
        required=True,
        ready=True,
        generation=3,
        field="access_token",
        lifetime_seconds=60.0,
        expires_in_seconds=42.5,
        next_renewal_in_seconds=22.0,
        last_error=LastError("timeout", "it did not answer within 10 s", 1_790_000_000.25),
        token_requests=5,
        renewals=3,
        failures={"timeout": 2},
        rejections=1,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


def totals() -> RouteTotals:
    sums = RouteTotals()
    sums.in_flight = 1
    for code, seconds in ((200, 0.004), (200, 0.3), (503, 90.0)):
        sums.add(
            AccessRecord(
                method="POST",
                route="/infer/",
                status=code,
                bytes_in=10,
                bytes_out=100,
                seconds=seconds,
                error="proxy_internal_response" if code == 503 else None,
            )
        )
    return sums


def snapshot(**changed: object) -> Snapshot:
    usual = Snapshot(
        version="1.2.3",
        config="/etc/token-sidecar/config.yaml",
        started=1_790_000_000.0,
        draining=False,
        warnings=("config.yaml:3:5: verify: false",),
        credentials=(status(),),
        routes={"/infer/": totals()},
        in_flight=1,
        connections=2,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


@dataclass
class Control:
    """Both applications, and what they are told."""

    now: Snapshot
    lendables: Lendables = field(default_factory=lambda: Lendables({}, hold=10.0))
    admin: str = ""
    metrics: str = ""
    counted: int = 0

    def read(self) -> Snapshot:
        return self.now

    async def count(self) -> None:
        self.counted += 1

    def lending(self) -> Lendables:
        return self.lendables


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    told = Control(snapshot())
    async with AsyncExitStack() as stack:
        told.admin = await serve(
            stack,
            lambda guard: application.admin(told.read, told.count, guard, fail, told.lending),
        )
        told.metrics = await serve(
            stack, lambda _: application.metrics(told.read, told.count, fail)
        )
        yield told


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def serve(
    stack: AsyncExitStack,
    make: Callable[[Callable[[], Guard]], aiohttp.web.AppRunner],
) -> str:
    sockets = bind(Address("127.0.0.1", 0), key="admin")
    address = Address("127.0.0.1", sockets[0].getsockname()[1])
    guard = Guard(address, origins=own_origins(address), clients=KEYS)
    hosted = await Hosted.open(make(lambda: guard), sockets)
    stack.push_async_callback(hosted.close)
    return f"http://{address}"


def fail(_where: str, error: BaseException) -> None:
    raise error
