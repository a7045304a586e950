"""What a program that sends its own requests gets, whoever gives it."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.secret import Secret


@dataclass(frozen=True, slots=True)
class Lent:
    """A token to send.

    Attributes:
        field: of the provider's answer that it came from.
        generation: named again when an upstream refuses the token.
        cookie: its value is a ``Cookie`` field's.
        expires_in: seconds it has left; None if it does not expire.
    """

    token: Secret
    field: str
    generation: int
    cookie: bool
    expires_in: float | None
