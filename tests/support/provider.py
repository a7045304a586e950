"""A scripted ``TokenSource``: what it answers, how long it takes, and what it was asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from proxy.errors import Failure, TokenRequestError
from proxy.secret import Secret
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import FakeClock

Answer = BaseException | Token | None
"""An error to raise, a token to give, or None: a fresh one of the usual lifetime."""


class ScriptedProvider:
    """Gives tokens ``token-1``, ``token-2``, … unless the script says otherwise.

    Attributes:
        lifetime: seconds that a fresh token lives from its arrival; None: it does not expire.
        latency: seconds until it answers, or a function that draws them.
        script: the next answers, taken one a request; afterwards ``otherwise`` holds, which may
            also be a function that draws one.
        asked: when each request came, monotonic seconds.
        held: the refresh tokens it was asked with.
        ended: when each request was answered, and with what: a failure's reason, or "token".
        busiest: the most requests that were in flight together.
    """

    def __init__(self, clock: FakeClock, lifetime: float | None = 300.0) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.latency: float | Callable[[], float] = 0.0
        self.script: list[Answer] = []
        self.otherwise: Answer | Callable[[], Answer] = None
        self.refresh: Callable[[int], RefreshToken | None] = lambda _: None
        self.keeps: list[RefreshToken | None] = []
        self.asked: list[float] = []
        self.ended: list[tuple[float, str]] = []
        self.held: list[str | None] = []
        self.busiest = 0
        self._in_flight = 0
        self._number = itertools.count(1)

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        self.asked.append(self.clock.monotonic())
        self.held.append(None if held is None else held.value.reveal())
        answer = self._next()
        self._in_flight += 1
        self.busiest = max(self.busiest, self._in_flight)
        try:
            await self.clock.sleep(self.latency() if callable(self.latency) else self.latency)
        finally:
            self._in_flight -= 1
            self.ended.append((self.clock.monotonic(), getattr(answer, "reason", "token")))
        for refresh in self.keeps:
            await keep(refresh)
        if isinstance(answer, BaseException):
            raise answer
        return answer or self.token()

    def _next(self) -> Answer:
        if self.script:
            return self.script.pop(0)
        return self.otherwise() if callable(self.otherwise) else self.otherwise

    def token(self, value: str | None = None, lifetime: float | None = None) -> Token:
        """A token that arrives now."""
        number = next(self._number)
        now = self.clock.now()
        lifetime = self.lifetime if lifetime is None else lifetime
        return Token(
            value=Secret(value or f"token-{number}"),
            field="access_token",
            received=now,
            expires=None if lifetime is None else now.later(lifetime),
            refresh=self.refresh(number),
        )


def network() -> TokenRequestError:
    return TokenRequestError("no connection", failure=Failure.TRANSIENT, reason="network")


def slow() -> TokenRequestError:
    return TokenRequestError("wrong realm", failure=Failure.SLOW, reason="http_404")


def busy(retry_after: float) -> TokenRequestError:
    return TokenRequestError(
        "too many requests",
        failure=Failure.RETRY_AFTER,
        reason="http_429",
        retry_after=retry_after,
    )


def refused(reason: str = "invalid_client", *, unattended: bool = True) -> TokenRequestError:
    return TokenRequestError(
        f"the provider answered {reason}",
        failure=Failure.TERMINAL,
        reason=reason,
        error=reason,
        unattended=unattended,
    )
