"""How a client shows a token endpoint who it is: RFC 6749 section 2.3, RFC 7523 section 2.2.

Knows neither grants nor answers, nor who signed an assertion.
"""

from __future__ import annotations

import base64
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from proxy.oauth.assertion import CLIENT_ASSERTION
from proxy.secret import Secret


class ClientAuthentication(enum.StrEnum):
    """Where the client id and secret go, or what stands in for a secret.

    ``basic_raw`` is Basic without the form-encoding that section 2.3.1 asks for, for providers
    that do not decode it. The two ``_jwt`` (OpenID Connect Core section 9) and ``federated`` are
    assertions that ourselves or somebody else signed; with ``tls`` (RFC 8705 section 2) the
    connection's certificate is the proof.
    """

    BASIC = "basic"
    BASIC_RAW = "basic_raw"
    POST = "post"
    CLIENT_SECRET_JWT = "client_secret_jwt"  # noqa: S105 - the method's name
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS = "tls"
    FEDERATED = "federated"
    NONE = "none"


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
