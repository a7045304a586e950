"""Callers with a provider that knows them by their bearers, on a clock we move."""

from __future__ import annotations

import random
from collections.abc import Callable

from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.callers import Callers
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Keep, TokenSource
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import FakeClock
from tests.support.provider import Answer


class Exchange:
    """Gives ``for-BEARER-1``, ``for-BEARER-2``, …, unless told otherwise.

    Attributes:
        asked: the bearers, as they were exchanged.
        answers: bearer → what its exchanges come to instead.
        latency: seconds that every exchange takes.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[str] = []
        self.answers: dict[str, list[Answer]] = {}
        self.latency = 0.0
        self.lifetime = 300.0

    def __call__(self, bearer: Secret) -> TokenSource:
        """The port: ``CallerSources``."""
        return _One(self, bearer.reveal())


class _One:
    def __init__(self, exchange: Exchange, bearer: str) -> None:
        self._exchange = exchange
        self._bearer = bearer

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:  # noqa: ARG002
        exchange, bearer = self._exchange, self._bearer
        exchange.asked.append(bearer)
        number = exchange.asked.count(bearer)
        if exchange.latency:
            await exchange.clock.sleep(exchange.latency)
        script = exchange.answers.get(bearer)
        answer = script.pop(0) if script else None
        if isinstance(answer, BaseException):
            raise answer
        now = exchange.clock.now()
        value = Secret(f"for-{bearer}-{number}")
        return answer or Token(value, "access_token", now, now.later(exchange.lifetime))


def callers_on(
    clock: FakeClock,
    exchange: Exchange,
    log: Callable[[Event], None] = lambda _: None,
    *,
    name: str = "api",
    most: int = 1000,
    idle: float = 900.0,
) -> Callers:
    """Callers whose tokens come from ``exchange``."""

    def make(source: TokenSource, told: Callable[[Event], None]) -> Credential:
        return Credential(
            name,
            source=source,
            store=MemoryStore(),
            identity=name,
            renewal=RenewalPolicy(),
            clock=clock,
            random=random.Random(1),
            required=False,
            log=told,
        )

    return Callers(
        name,
        sources=exchange,
        make=make,
        key=b"k" * 32,
        clock=clock,
        log=log,
        most=most,
        idle=idle,
    )
