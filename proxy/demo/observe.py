"""What the sidecar and the outside world say of themselves, as plain values. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proxy.demo.calls import CallError, get_json


@dataclass(frozen=True, slots=True)
class Held:
    """One credential, as the sidecar's ``/v1/status`` tells it; seconds.

    Attributes:
        tokens: how many it has had; all but the first are renewals.
        age: of the token held now.
        renewal: until the next renewal.
        error: the last failure's message, or empty.
    """

    name: str
    state: str
    tokens: int
    age: float | None = None
    renewal: float | None = None
    error: str = ""

    @property
    def renewals(self) -> int:
        """Tokens after the first."""
        return max(0, self.tokens - 1)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the provider and the API counted on their side.

    Attributes:
        issued: subject -> tokens.
        accepted: subject -> requests; refused: reason -> requests (each a 401).
        tokens: subject -> different tokens that the API accepted.
        least: subject -> the fewest seconds that an accepted token had left.
    """

    issued: Mapping[str, int]
    accepted: Mapping[str, int]
    refused: Mapping[str, int]
    tokens: Mapping[str, int]
    least: Mapping[str, float]


def held(status: Mapping[str, Any]) -> tuple[Held, ...]:
    """The credentials of a ``/v1/status`` document."""
    return tuple(_held(name, one) for name, one in status["credentials"].items())


def _held(name: str, one: Mapping[str, Any]) -> Held:
    lifetime, left = one["lifetime_seconds"], one["expires_in_seconds"]
    return Held(
        name=name,
        state=one["state"],
        tokens=one["generation"],
        age=None if lifetime is None or left is None else max(0.0, lifetime - left),
        renewal=one["next_renewal_in_seconds"],
        error=(one["last_error"] or {}).get("message", ""),
    )


def read_status(admin: str) -> tuple[Held, ...]:
    """Ask the sidecar.

    Raises:
        CallError: it does not answer, or not so that it can be understood.
    """
    url = f"http://{admin}/v1/status"
    try:
        return held(get_json(url))
    except (LookupError, TypeError, AttributeError) as error:
        raise CallError(f"GET {url}: not the status that was expected: {error!r}") from error


def read_ledger(url: str) -> Ledger:
    """Ask the outside world.

    Raises:
        CallError: it does not answer.
    """
    counts = get_json(url)
    return Ledger(**{name: counts[name] for name in Ledger.__slots__})
