"""The exception tree: each class is one cause, its message says what, where and what to do.

Raised low, turned into a status or an exit code once, at the edge. No message ever
holds a secret, a token or a provider's answer body.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class SidecarError(Exception):
    """Root of everything this program raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file: where it is, what is wrong, what would be right."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ConfigurationError(SidecarError):
    """The configuration can't be used; carries every problem found (exit code 2)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UnlendableError(SidecarError):
    """No token goes by this name: no such credential, or one that has none of its own."""


class StartError(SidecarError):
    """The process can't run as configured: a port in use, no permission (exit code 1)."""


class SecretError(SidecarError):
    """A secret can't be read: unset variable, missing, unreadable or unsafe file."""


class SecretUnavailableError(SecretError):
    """A secret's place does not answer now, which may pass: locked, sealed, slow, out of reach."""


class StoreError(SidecarError):
    """The store can't be opened, locked or read: wrong mode or owner, another key, no answer."""


class LoginError(SidecarError):
    """A person's login was not completed: nobody came back in time, or there is no way to."""


class DraftError(SidecarError):
    """No configuration can be drafted: something is missing, unreadable, or in the way."""


class Failure(enum.StrEnum):
    """How a failed token request is to be treated: when the next one may be."""

    TERMINAL = "terminal"
    """The provider refuses the credential: nothing changes by trying again soon."""
    SLOW = "slow"
    """403, 404 and other 4xx: licence limits, wrong realm; 30 s to 5 min."""
    RETRY_AFTER = "retry_after"
    """429 or 503 that named a moment; kept to, capped at 5 min."""
    TRANSIENT = "transient"
    """Network, TLS, timeout, 5xx, unreadable, redirect, no usable token; exponential backoff."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a refusal means in plain words, and what to do about it; nothing secret in it.

    Attributes:
        cause: a short stable name, e.g. ``wrong_secret``.
    """

    cause: str
    meaning: str
    advice: str


class TokenRequestError(SidecarError):
    """A token request brought no usable token.

    Attributes:
        failure: how to treat it.
        reason: a short stable label for metrics, e.g. ``invalid_client``, ``timeout``, ``tls``,
            ``http_503``, ``redirect``, ``unreadable``, ``no_token``.
        error: the provider's RFC 6749 section 5.2 ``error`` code, cleaned, where it sent one.
        retry_after: seconds that the provider asked for, where it did.
        unattended: False where trying again by itself could lock an account (a refused password).
        explanation: what the provider's answer means, where that is known.
    """

    explanation: Explanation | None = None

    def __init__(
        self,
        message: str,
        *,
        failure: Failure,
        reason: str,
        error: str | None = None,
        retry_after: float | None = None,
        unattended: bool = True,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.reason = reason
        self.error = error
        self.retry_after = retry_after
        self.unattended = unattended


class CredentialUnavailable(SidecarError):  # noqa: N818 - a state that passes, not a fault
    """There is no token yet and none came in time (answered with 503 and Retry-After).

    Attributes:
        credential: its name.
        retry_after: seconds until the next try, where waiting helps.
    """

    def __init__(self, message: str, *, credential: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.credential = credential
        self.retry_after = retry_after


class CredentialRefused(CredentialUnavailable):
    """The provider refuses the credential (answered with 502); ``error`` is the provider's code."""

    def __init__(
        self, message: str, *, credential: str, retry_after: float | None, error: str | None
    ) -> None:
        super().__init__(message, credential=credential, retry_after=retry_after)
        self.error = error
