"""How a client shows a token endpoint who it is: RFC 6749 section 2.3.

Knows neither grants nor answers.
"""

from __future__ import annotations

import base64
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from proxy.secret import Secret


class ClientAuthentication(enum.StrEnum):
    """Where the client id and secret go.

    ``basic_raw`` is Basic without the form-encoding that section 2.3.1 asks for, for providers
    that do not decode it.
    """

    BASIC = "basic"
    BASIC_RAW = "basic_raw"
    POST = "post"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; ``secret`` None for a public one."""

    client_id: str
    authentication: ClientAuthentication = ClientAuthentication.NONE
    secret: Secret | None = None


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
        case ClientAuthentication.NONE:
            return Proof(params=(("client_id", client.client_id),))


def _basic(user: str, password: str) -> Proof:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return Proof(headers={"Authorization": f"Basic {pair}"})
