"""Which keys of a credential fit together: what each grant needs, and what it has no use for.

RFC 6749 section 4 names the parameters of each grant, section 2.3 those of the client.
"""

from __future__ import annotations

from typing import Final

from proxy.config.credential_keys import CredentialKeys
from proxy.config.presets import ENDPOINTS, has_endpoint
from proxy.config.report import Section

_NEEDED: Final = {
    "password": ("username", "password"),
    "refresh_token": ("refresh_token",),
    "static": ("token",),
}
_GRANT_OF: Final = {
    "username": "password",
    "password": "password",
    "refresh_token": "refresh_token",
    "token": "static",
}
_OF_STATIC: Final = ("grant", "token", "required", "renew", "clients", "cookies")


def check_combination(written: CredentialKeys, keys: CredentialKeys, section: Section) -> None:
    """Report what is missing in the complete ``keys`` and what is too much as ``written``."""
    if section.spoiled("grant") or section.spoiled("preset"):
        return
    _needed_and_useless(written, keys, section)
    if keys.grant != "static":
        _endpoint(keys, section)
        _client(keys, section)
        _client_proof(keys, section)


def _needed_and_useless(written: CredentialKeys, keys: CredentialKeys, section: Section) -> None:
    for name in _NEEDED.get(keys.grant, ()):
        if not getattr(keys, name):
            section.missing(name, f"grant {keys.grant} needs `{name}`")
    for name in written.model_fields_set:
        grant = _GRANT_OF.get(name, keys.grant)
        if grant != keys.grant:
            section.unfit(name, f"`{name}` belongs to grant {grant}, and this one is {keys.grant}")
        elif keys.grant == "static" and name not in _OF_STATIC:
            section.unfit(name, f"`{name}` has no meaning for grant static: it only has a token")


def _endpoint(keys: CredentialKeys, section: Section) -> None:
    if not has_endpoint(keys, section) and not section.spoiled("provider"):
        section.missing(
            ENDPOINTS,
            "there is no token_url, issuer or login_url, here or in a provider named here",
        )


def _client(keys: CredentialKeys, section: Section) -> None:
    if not keys.client_id:
        section.missing("client_id", "`client_id` is missing")
    elif keys.client_auth == "basic_raw" and ":" in keys.client_id:
        section.wrong("client_id", "`client_id` can't hold a colon with basic_raw (RFC 7617)")


def _client_proof(keys: CredentialKeys, section: Section) -> None:
    if keys.client_auth == "none" and keys.client_secret:
        section.unfit("client_secret", "`client_secret` is never sent with client_auth none")
    elif keys.client_auth in ("basic", "basic_raw", "post") and not keys.client_secret:
        section.missing("client_secret", f"client_auth {keys.client_auth} needs `client_secret`")
    elif keys.grant == "client_credentials" and not (keys.client_secret or keys.client_auth):
        section.missing(
            ("client_secret", "client_auth"), "grant client_credentials needs `client_secret`"
        )
