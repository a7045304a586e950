"""What goes on one request: a token's bytes with the generation it belongs to.

Knows nothing of how long it lives; whoever holds one was told that it may be sent now.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.tokens.session import Session
from proxy.tokens.token import Token


@dataclass(frozen=True, slots=True)
class Lease:
    """A token to send now, not to be kept for later.

    Attributes:
        generation: counts the tokens of a credential; named again when an upstream says 401.
        value: the token, visible ASCII; hidden from repr.
        field: the answer's field it came from, e.g. ``access_token``.
        session: set where the value is a session's cookies.
    """

    generation: int
    value: bytes = field(repr=False)
    field: str
    session: Session | None = None


def lease_of(token: Token, generation: int) -> Lease:
    """What goes on a request for ``token``.

    Raises:
        UnicodeEncodeError: its value is not ASCII.
    """
    return Lease(generation, token.value.reveal().encode("ascii"), token.field, token.session)
