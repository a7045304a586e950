"""What a token answer is judged against: who was asked, with what, and what is wanted of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from proxy.secret import Secret

DEFAULT_LIFETIME: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of the request besides the answer.

    Attributes:
        where: the endpoint as a message may name it: scheme, host and port.
        use: fields of the answer; the first that is there is the token.
        default_lifetime: seconds, where the answer says nothing about time.
        password: the request carried a person's password: never repeated unasked.
        rotating: the client's secret changed less than a minute ago.
        signed: the client signed an assertion, which the provider's clock judges.
        json: the endpoint takes JSON, and may call things its own way in its answer too.
        exchange: a token was exchanged (RFC 8693), of a type that need not be Bearer.
        requested_type: what type of token was asked for by that, or None for any.
        until: seconds since the epoch on the provider's clock, which the token does not outlive.
        secrets: what was sent, so that no message repeats it.
    """

    where: str
    use: tuple[str, ...] = ("access_token",)
    default_lifetime: float = DEFAULT_LIFETIME
    password: bool = False
    rotating: bool = False
    signed: bool = False
    json: bool = False
    exchange: bool = False
    requested_type: str | None = None
    until: float | None = None
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
