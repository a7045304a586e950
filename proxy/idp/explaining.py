"""What a provider's refusal of a token request means for one credential, by the table of causes.

``doctor`` and the running sidecar say it in the same words. The table is imported by the first
refusal: most sidecars never see one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.config.model import Credential, CredentialsFileSecret
from proxy.errors import Explanation
from proxy.message import Answer
from proxy.oauth.authentication import ClientAuthentication

Explain = Callable[[Answer], Explanation | None]

_SECRET_NEEDED: Final = Explanation(
    "secret_needed",
    "the client is confidential: it must show a secret, and none is configured",
    "set client_secret; it stands on the client's page at the provider (Keycloak: Credentials)",
)
_OF_SECRETS: Final = frozenset({"wrong_secret", "grant_not_allowed"})


def explainer(credential: Credential) -> Explain:
    """What explains answers to the token requests of ``credential``."""
    return lambda answer: explain(credential, answer)


def explain(credential: Credential, answer: Answer) -> Explanation | None:
    """What an answer without a token means; None where the table does not know."""
    from proxy.idp.cause import EGGPLANT, KEYCLOAK, hear, providers_of  # noqa: PLC0415 - see above
    from proxy.idp.causes import CAUSES  # noqa: PLC0415

    provider = credential.provider
    url = (provider.token_url or provider.issuer or "") if provider is not None else ""
    providers = providers_of(url)
    if isinstance(credential.client_secret, CredentialsFileSecret):
        providers |= {EGGPLANT, KEYCLOAK}
    heard = hear(answer, providers, credential.grant)
    row = next((one for one in CAUSES if one.fits(heard)), None)
    if row is None:
        return None
    shows_none = credential.client_auth is ClientAuthentication.NONE
    if shows_none and row.name in _OF_SECRETS and "client" in heard.words.lower():
        return _SECRET_NEEDED
    return Explanation(row.name, row.meaning, row.advice)
