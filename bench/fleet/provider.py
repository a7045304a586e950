"""A provider in simulated time: it takes a while, allows so many requests, and can be away.

Speaks the port of a token source, so that what asks it is the product's own. RFC 6585 section 4
for its 429; refresh tokens rotate, and one that is shown twice ends the login (RFC 9700 §4.14.2).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from random import Random

from proxy.errors import Failure, TokenRequestError
from proxy.secret import Secret
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import FakeClock


@dataclass(frozen=True, slots=True)
class Limit:
    """What a provider allows: ``burst`` requests at once, ``rate`` a second in the long run."""

    rate: float
    burst: int


class Provider:
    """Gives tokens, and writes down when it was asked and what it answered.

    Args:
        lifetime: seconds that its tokens live.
        limit: what it allows, None: everything.

    Attributes:
        asked: when each request came, monotonic seconds.
        answered: how often "token", or why not.
        away: nobody answers there.
        patience: seconds until who asks in vain knows it.
        family: the refresh token that is good now; empty once the login was lost.
    """

    def __init__(
        self, clock: FakeClock, random: Random, *, lifetime: float, limit: Limit | None = None
    ) -> None:
        self._clock = clock
        self._random = random
        self._lifetime = lifetime
        self._limit = limit
        self._allowed = float(limit.burst if limit else 0)
        self._seen = clock.monotonic()
        self._numbers = itertools.count(1)
        self.asked: list[float] = []
        self.answered: Counter[str] = Counter()
        self.away = False
        self.patience = 0.01
        self.family = "refresh-0"

    async def ask(self) -> None:
        """Take as long as a provider takes, and refuse what is too much."""
        self.asked.append(self._clock.monotonic())
        if self.away:
            await self._clock.sleep(self.patience)
            raise self._no("network", Failure.TRANSIENT)
        if self._limit is not None and not self._take(self._limit):
            await self._clock.sleep(0.02)
            missing = (1 - self._allowed) / self._limit.rate
            raise self._no("http_429", Failure.RETRY_AFTER, max(1.0, math.ceil(missing)))
        await self._clock.sleep(self._random.uniform(0.1, 0.3))
        self.answered["token"] += 1

    def token(self, refresh: RefreshToken | None = None) -> Token:
        """One that arrives now."""
        now = self._clock.now()
        value = Secret(f"token-{next(self._numbers)}")
        return Token(value, "access_token", now, now.later(self._lifetime), refresh)

    def refuse(self) -> TokenRequestError:
        """The login is lost."""
        return self._no("login_needed", Failure.TERMINAL)

    def _take(self, limit: Limit) -> bool:
        now = self._clock.monotonic()
        gained = (now - self._seen) * limit.rate
        self._allowed, self._seen = min(float(limit.burst), self._allowed + gained), now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def _no(
        self, reason: str, failure: Failure, retry_after: float | None = None
    ) -> TokenRequestError:
        self.answered[reason] += 1
        return TokenRequestError(reason, failure=failure, reason=reason, retry_after=retry_after)


class FullGrant:
    """Takes a token whenever it wants one: client credentials."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def obtain(self, _held: RefreshToken | None, _keep: Keep) -> Token:
        """See ``TokenSource``."""
        await self._provider.ask()
        return self._provider.token()


class Rotating:
    """Lives by a refresh token that may be used once, as after a person's login."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def obtain(self, held: RefreshToken | None, _keep: Keep) -> Token:
        """See ``TokenSource``."""
        await self._provider.ask()
        provider = self._provider
        if held is None or held.value.reveal() != provider.family:
            provider.family = ""
            raise provider.refuse()
        provider.family = f"refresh-{len(provider.asked)}"
        return provider.token(RefreshToken(Secret(provider.family)))
