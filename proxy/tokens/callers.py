"""A credential of its own for everybody who calls: their bearer token is what it is made from.

Decides who is remembered and for how long; what happens to each caller's token is its
``Credential``'s. Callers are known by a keyed hash, so that nothing here keeps what they sent.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from proxy.clock import Clock, Timer
from proxy.errors import CredentialUnavailable
from proxy.secret import Secret
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.lately import FullError, Lately
from proxy.tokens.lease import Lease
from proxy.tokens.ports import CallerSources, TokenSource
from proxy.tokens.remembered import Remembered
from proxy.tokens.status import CredentialStatus, LastError
from proxy.tokens.terms import Terms

MOST_CALLERS: Final = 1000
"""Callers who are remembered at once; one more and the longest unused goes."""
IDLE: Final = 900.0
"""Seconds without a request after which a caller is forgotten."""

Make = Callable[[TokenSource, Callable[[Event], None]], Credential]
"""Makes one caller's credential. Nobody starts it: without a request nothing is renewed."""


class Callers:
    """The callers of one configured credential (``subject: request``).

    Args:
        name: the credential's.
        sources: where one caller's tokens come from.
        make: makes one caller's credential.
        key: what their hashes are keyed with; random, and known to this process alone.
        log: is told of each event, under the name that they share.
    """

    def __init__(
        self,
        name: str,
        *,
        sources: CallerSources,
        make: Make,
        key: bytes,
        clock: Clock,
        log: Callable[[Event], None],
        most: int = MOST_CALLERS,
        idle: float = IDLE,
    ) -> None:
        self.name = name
        self._sources = sources
        self._make = make
        self._key = key
        self._clock = clock
        self._log = log
        self._idle = idle
        self._known: Lately[Remembered] = Lately(most, idle, clock.monotonic, Remembered.busy)
        self._timer: Timer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests = self._renewals = self._rejections = 0
        self._failures: Counter[str] = Counter()
        self._last_error: LastError | None = None
        self._closed = False

    def of(self, bearer: Secret) -> Caller:
        """The lender of whoever sent this bearer token."""
        hashed = hmac.digest(self._key, bearer.reveal().encode(), "sha256")
        return Caller(self, bearer, hashed)

    def find(self, hashed: bytes) -> Remembered | None:
        """A caller who is remembered."""
        return self._known.get(hashed)

    def welcome(self, hashed: bytes) -> Remembered:
        """A caller, remembered from now on.

        Raises:
            CredentialUnavailable: too many others are being served at this moment.
        """
        known = self._known.get(hashed)
        if known is None:
            known = Remembered(self._ask)
            known.credential = self._make(known, self._heard)
            self._dismiss(self._make_room(hashed, known))
        return known

    def _make_room(self, hashed: bytes, known: Remembered) -> list[Remembered]:
        if self._closed:
            raise CredentialUnavailable(
                f"credential {self.name}: it was replaced", credential=self.name, retry_after=1.0
            )
        try:
            return self._known.put(hashed, known)
        except FullError:
            raise CredentialUnavailable(
                f"credential {self.name}: too many callers need a first token at this moment",
                credential=self.name,
                retry_after=1.0,
            ) from None

    def _dismiss(self, gone: list[Remembered]) -> None:
        for known in gone:
            self._spawn(known.credential.close())
        if self._timer is None and len(self._known):
            self._timer = self._clock.call_later(self._idle, self._look)

    def _look(self) -> None:
        """Forget who has not called for long."""
        self._timer = None
        self._dismiss(self._known.unused())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def begin_anew(self) -> None:
        """A secret changed: forget whom the provider refused, it may grant now what they ask."""
        self._dismiss(self._known.drop(Remembered.refused))

    async def close(self) -> None:
        """Forget all of them."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for known in self._known.clear():
            await known.credential.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _ask(self, subject: Secret) -> TokenSource:
        self._requests += 1
        return self._sources(subject)

    def _heard(self, event: Event) -> None:
        """Count what happens to any of them."""
        if event.kind == "token_renewed":
            self._renewals += 1
        elif event.kind == "token_rejected":
            self._rejections += 1
        elif event.kind == "token_failed":
            reason = str(event.fields["reason"])
            self._failures[reason] += 1
            message = event.message.rpartition("; ")[0]  # what comes next is one caller's affair
            self._last_error = LastError(reason, message, self._clock.wall())
        self._log(event)

    def status(self) -> CredentialStatus:
        """How they are doing together; nothing in it tells of a single one."""
        served = any(known.credential.terms().lease is not None for known in self._known)
        failed = self._last_error is not None and len(self._known) > 0
        return CredentialStatus(
            name=self.name,
            state="valid" if served else "unavailable" if failed else "empty",
            required=False,
            ready=True,
            generation=0,
            field=None,
            lifetime_seconds=None,
            expires_in_seconds=None,
            next_renewal_in_seconds=None,
            last_error=self._last_error,
            token_requests=self._requests,
            renewals=self._renewals,
            failures=dict(self._failures),
            rejections=self._rejections,
            callers=len(self._known),
        )


class Caller:
    """A ``Lender`` for one caller; nobody is remembered before somebody waits."""

    __slots__ = ("_bearer", "_callers", "_hashed")

    def __init__(self, callers: Callers, bearer: Secret, hashed: bytes) -> None:
        self._callers = callers
        self._bearer = bearer
        self._hashed = hashed

    def current(self) -> Lease | None:
        """The lease to send right now, or None: wait for one with ``acquire``."""
        known = self._callers.find(self._hashed)
        return None if known is None else known.current(self._bearer)

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds for it.

        Raises:
            CredentialRefused: the provider refuses this caller's token.
            CredentialUnavailable: none came in time, or too many callers are new.
        """
        with self._callers.welcome(self._hashed).waiting(self._bearer) as credential:
            return await credential.acquire(hold)

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """An upstream answered 401 to ``generation``: the lease to replay with, or None."""
        known = self._callers.find(self._hashed)
        if known is None:
            return None
        with known.waiting(self._bearer) as credential:
            return await credential.reject(generation, hold)

    def terms(self) -> Terms:
        """What another process has to know to lend the token as ``current`` does."""
        known = self._callers.find(self._hashed)
        return Terms() if known is None else known.credential.terms()
