"""How a client shows a token endpoint who it is: RFC 6749 section 2.3, RFC 7523 section 2.2.

Knows neither grants nor answers, nor who signed an assertion.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from proxy.oauth.assertion import CLIENT_ASSERTION
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client, with what its authentication takes; ``client_id`` may be empty."""

    client_id: str
    authentication: ClientAuthentication = ClientAuthentication.NONE
    secret: Secret | None = None
    assertion: Secret | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request carries to show who the client is."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def prove(client: Client) -> Proof:
    """The header or the form fields that authenticate ``client``."""
    secret = client.secret.reveal() if client.secret else ""
    match client.authentication:
        case ClientAuthentication.BASIC:
            return _basic(quote_plus(client.client_id), quote_plus(secret))
        case ClientAuthentication.BASIC_RAW:
            return _basic(client.client_id, secret)
        case ClientAuthentication.POST:
            return Proof(params=(("client_id", client.client_id), ("client_secret", secret)))
        case ClientAuthentication.TLS | ClientAuthentication.NONE:
            # An assertion of grant jwt_bearer may speak for itself: RFC 7523 section 2.1.
            return Proof(params=(("client_id", client.client_id),) if client.client_id else ())
        case _:
            return _asserted(client)


def _asserted(client: Client) -> Proof:
    """RFC 7521 section 4.2; the id goes along where there is one, since some need it.

    Others refuse it beside an assertion of somebody else's, whose ``sub`` is not this id.
    """
    assertion = client.assertion.reveal() if client.assertion else ""
    return Proof(
        params=(
            *((("client_id", client.client_id),) if client.client_id else ()),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", assertion),
        )
    )


def _basic(user: str, password: str) -> Proof:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return Proof(headers={"Authorization": f"Basic {pair}"})
