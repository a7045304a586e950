"""From a credential's configuration to the client that asks; reads nothing yet."""

from __future__ import annotations

from typing import Final

from proxy.clock import Clock
from proxy.config import model
from proxy.idp import signer
from proxy.idp.client import Registration
from proxy.oauth.authentication import ClientAuthentication
from proxy.secrets.places import place
from proxy.secrets.references import Sources

SENT: Final = frozenset(
    {ClientAuthentication.BASIC, ClientAuthentication.BASIC_RAW, ClientAuthentication.POST}
)
"""The methods that send the secret itself; the others have no use for it, or sign with it."""


def registration(credential: model.Credential, secrets: Sources, clock: Clock) -> Registration:
    """Who asks for the credential's tokens, and with what proof."""
    how = credential.client_auth
    secret = credential.client_secret
    assertion = credential.client_assertion
    return Registration(
        client_id=credential.client_id or "",
        authentication=how,
        secret=None if secret is None or how not in SENT else secrets(secret),
        signer=_signer(credential, how, secrets, clock),
        audience=credential.assertion_audience,
        assertion=None if assertion is None else secrets(assertion),
        assertion_where="" if assertion is None else f"the client assertion {place(assertion)}",
    )


def _signer(
    credential: model.Credential,
    how: ClientAuthentication,
    secrets: Sources,
    clock: Clock,
) -> signer.Signer | None:
    if how is ClientAuthentication.PRIVATE_KEY_JWT and credential.client_signing is not None:
        return signer.with_private_key(credential.client_signing, secrets, clock)
    if how is ClientAuthentication.CLIENT_SECRET_JWT and credential.client_secret is not None:
        return signer.with_client_secret(credential.client_secret, secrets, clock)
    return None
