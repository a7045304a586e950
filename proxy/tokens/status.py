"""How a credential is doing, as the status page and the metrics tell it; nothing secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proxy.errors import Explanation

State = Literal["empty", "valid", "renewing", "refused", "unavailable", "expired"]
"""``valid``: a token may be sent. ``renewing``: a try is in flight, with or without a token.
``refused``: no token, and the provider refuses the credential. ``unavailable``: no token, the last
try failed otherwise. ``expired``: there was one, no try yet. ``empty``: none yet, no try yet."""


@dataclass(frozen=True, slots=True)
class LastError:
    """The most recent failed token request; it stays after a later success, hence its time.

    Attributes:
        reason: a short stable label, e.g. ``invalid_client``.
        message: one line for a person.
        at_wall: when, in seconds since the epoch.
        explanation: what the provider's answer means, where that is known.
    """

    reason: str
    message: str
    at_wall: float
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """One credential at one moment.

    Attributes:
        required: readiness waits for it.
        ready: it has had a token.
        generation: of the newest token; 0 before the first.
        field: the answer's field in use, None before the first token.
        lifetime_seconds: L of the newest token; None if it does not expire or there is none.
        expires_in_seconds: what is left of it, never negative; None likewise.
        next_renewal_in_seconds: until the next try; None where none comes by itself.
        token_requests: how often the provider was asked.
        renewals: how often that brought a token.
        failures: how often it did not, by reason.
        rejections: how many generations an upstream's 401 rejected.
        callers: how many have a token of their own at the moment, where each has one
            (``subject: request``); the counts above are then of all together.
        store_fault: what is wrong with the store, in one line; None where nothing is.
        failing_since: when the first of the failures came that no token followed, in seconds since
            the epoch; None where the last try went well.
    """

    name: str
    state: State
    required: bool
    ready: bool
    generation: int
    field: str | None
    lifetime_seconds: float | None
    expires_in_seconds: float | None
    next_renewal_in_seconds: float | None
    last_error: LastError | None
    token_requests: int
    renewals: int
    failures: Mapping[str, int]
    rejections: int
    callers: int | None = None
    store_fault: str | None = None
    failing_since: float | None = None
