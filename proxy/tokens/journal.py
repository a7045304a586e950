"""What a credential remembers and says of what happened: counters, the last error, events.

Decides the words; nothing secret reaches it but by a token request's own message, which holds none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from proxy.clock import Clock
from proxy.errors import TokenRequestError
from proxy.tokens.event import Event, Level
from proxy.tokens.ports import Entry
from proxy.tokens.status import LastError
from proxy.tokens.token import Token


class Journal:
    """Counts and logs what happens to one credential.

    Attributes:
        name: the credential's.
        renewals: token requests that brought a token.
        failures: token requests that did not, by reason.
        rejections: generations that a 401 rejected.
        last_error: the most recent failure.
        failing_since: when the first failure since the last token came; None without one.
    """

    __slots__ = (
        "_clock",
        "_log",
        "failing_since",
        "failures",
        "last_error",
        "name",
        "rejections",
        "renewals",
    )

    def __init__(self, name: str, clock: Clock, log: Callable[[Event], None]) -> None:
        self.name = name
        self._clock = clock
        self._log = log
        self.renewals = 0
        self.failures: Counter[str] = Counter()
        self.rejections = 0
        self.last_error: LastError | None = None
        self.failing_since: float | None = None

    def renewed(self, token: Token, generation: int) -> None:
        """The provider gave a token."""
        self.renewals += 1
        self.failing_since = None
        for warning in token.warnings:
            self._say("token_odd", warning, "warning")
        self._say("token_renewed", f"new {token.field}, {_lives(token)}", generation=generation)

    def adopted(self, token: Token, generation: int) -> None:
        """The store already had a token."""
        self.failing_since = None
        message = f"{token.field} taken from the store, {_lives(token)}"
        self._say("token_adopted", message, generation=generation)

    def forgotten(self, generation: int) -> None:
        """Somebody took the token out of the store."""
        message = "the store has no token any more, somebody logged out: ours is sent no more"
        self._say("token_forgotten", message, generation=generation)

    def failed(self, error: TokenRequestError, wait: float) -> None:
        """A token request failed; the next comes in ``wait`` seconds, infinity: not by itself."""
        message = str(error)
        self.failures[error.reason] += 1
        now = self._clock.wall()
        self.last_error = LastError(error.reason, message, now, error.explanation)
        self.failing_since = now if self.failing_since is None else self.failing_since
        alone = math.isinf(wait)
        then = "no further try by itself" if alone else f"next try in {wait:.1f} s"
        level: Level = "error" if alone else "warning"
        self._say("token_failed", f"{message}; {then}", level, reason=error.reason)

    def rejected(self, entry: Entry) -> None:
        """An upstream's 401 rejected a token, or a session has ended."""
        self.rejections += 1
        message = "an upstream answered 401 to the token: it is sent no more"
        if entry.token is not None and entry.token.session is not None:
            message = "an upstream no longer knows the session: it is sent no more"
        self._say("token_rejected", message, "warning", generation=entry.generation)

    def _say(self, kind: str, message: str, level: Level = "info", **fields: str | float) -> None:
        self._log(Event(kind, self.name, message, level, fields))


def _lives(token: Token) -> str:
    lifetime = token.lifetime
    return "does not expire" if lifetime is None else f"lives {lifetime:.1f} s"
