"""Token requests that present a token for another: RFC 8693 section 2.1, RFC 7523 section 2.1.

Decides what goes into the request and how its answer is judged; knows neither where the tokens
come from nor who sends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from proxy.message import Answer, Request
from proxy.oauth import response
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.client import Client
from proxy.oauth.request import Wish, token_request
from proxy.secret import Secret
from proxy.tokens.token import Token

TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TYPES: Final = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN: Final = f"{TYPES}access_token"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is exchanged, and for what: RFC 8693 section 2.1.

    Attributes:
        subject, actor: on whose behalf, and who acts for them.
        requested_type: None for whatever the provider thinks fit.
        until: seconds since the epoch that the new token may not outlive; None for no such bound.
    """

    subject: Secret
    subject_type: str = ACCESS_TOKEN
    actor: Secret | None = None
    actor_type: str = ACCESS_TOKEN
    requested_type: str | None = None
    until: float | None = None

    def read(self, answer: Answer, about: Circumstances) -> Token:
        """The token of the answer to this exchange; see ``response.read``."""
        actor = () if self.actor is None else (self.actor,)
        judged = replace(
            about,
            exchange=True,
            requested_type=self.requested_type,
            until=self.until,
            secrets=(*about.secrets, self.subject, *actor),
        )
        return response.read(answer, judged)


def token_exchange(url: str, client: Client, wish: Wish, exchange: Exchange) -> Request:
    """Another token for the subject's: RFC 8693 section 2.1."""
    actor = exchange.actor
    return token_request(
        url,
        client,
        wish,
        TOKEN_EXCHANGE,
        subject_token=exchange.subject.reveal(),
        subject_token_type=exchange.subject_type,
        actor_token=None if actor is None else actor.reveal(),
        actor_token_type=None if actor is None else exchange.actor_type,
        requested_token_type=exchange.requested_type,
        scope=wish.scope,
    )


def jwt_bearer(url: str, client: Client, wish: Wish, assertion: Secret) -> Request:
    """A token for an assertion about somebody: RFC 7523 section 2.1."""
    return token_request(
        url, client, wish, JWT_BEARER, assertion=assertion.reveal(), scope=wish.scope
    )


def type_uri(name: str) -> str:
    """A token type's identifier (RFC 8693 section 3); the short ones of it may be written short."""
    return name if ":" in name else TYPES + name
