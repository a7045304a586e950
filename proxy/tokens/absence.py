"""What a failed token request means to whoever asked a one-shot lender for a lease."""

from __future__ import annotations

from typing import Final

from proxy.errors import (
    CredentialRefused,
    CredentialUnavailable,
    Failure,
    SidecarError,
    TokenRequestError,
)

PENDING: Final = "the provider has not answered yet"


def absent(name: str, why: SidecarError | str) -> CredentialUnavailable:
    """There is no lease of the credential ``name``: refused where that is the provider's word."""
    message = f"credential {name}: {why}"
    if isinstance(why, TokenRequestError) and why.failure is Failure.TERMINAL:
        return CredentialRefused(message, credential=name, retry_after=None, error=why.error)
    return CredentialUnavailable(message, credential=name, retry_after=None)
