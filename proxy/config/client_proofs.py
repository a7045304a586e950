"""How the client shows who it is: what each way needs, and what it never sends.

RFC 6749 section 2.3, OpenID Connect Core section 9, RFC 7523 section 2.2, RFC 8705.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy.config.credential_keys import CredentialKeys
from proxy.config.model import BY_PERSON
from proxy.config.report import Section

_NEEDED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("basic", "basic_raw", "post", "client_secret_jwt"), "client_secret"),
    "private_key_jwt": "private_key",
    "federated": "assertion",
}
_WITHOUT_SECRET: Final = ("private_key_jwt", "tls", "federated", "none")


def proof_of(keys: CredentialKeys) -> str:
    """The way that complete ``keys`` ask for: as written, else by what there is."""
    return keys.client_auth or ("basic" if keys.client_secret else "none")


def check_client(keys: CredentialKeys, section: Section) -> None:
    """Report what is missing for the client's proof, and what is too much for it."""
    if not keys.client_id and not _is_asserted(keys):
        section.missing("client_id", "`client_id` is missing")
    elif not keys.client_id and "id_token" in (keys.use or ()):
        section.missing(
            "client_id",
            "`use: id_token` needs `client_id`: an ID token is sent only if it is for this client",
        )
    elif keys.client_auth == "basic_raw" and ":" in (keys.client_id or ""):
        section.wrong("client_id", "`client_id` can't hold a colon with basic_raw (RFC 7617)")
    if section.spoiled("client_auth"):
        return
    _needed(keys, section)
    if keys.client_auth in _WITHOUT_SECRET and keys.client_secret:
        section.unfit(
            "client_secret", f"`client_secret` is never sent with client_auth {keys.client_auth}"
        )


def _is_asserted(keys: CredentialKeys) -> bool:
    """Whether an assertion says who asks, so that no id has to (RFC 7521 sections 4.1 and 4.2).

    Some refuse an id beside one that somebody else signed, others want it: it is sent if given.
    """
    proof = proof_of(keys)
    if keys.grant in BY_PERSON:
        return False
    return proof == "federated" or (keys.grant == "jwt_bearer" and proof == "none")


def _needed(keys: CredentialKeys, section: Section) -> None:
    name = _NEEDED.get(keys.client_auth or "")
    if name and not getattr(keys, name):
        section.missing(name, f"client_auth {keys.client_auth} needs `{name}`")
    if keys.client_auth == "tls":
        _certificate(keys, section)
    if keys.grant == "client_credentials" and not keys.client_auth:
        _secret(keys, section)


def _certificate(keys: CredentialKeys, section: Section) -> None:
    shown = keys.tls is not None and keys.tls.cert_file
    if not shown and not section.inner("tls").spoiled("cert_file"):
        section.missing("tls", "client_auth tls needs `tls: {cert_file: …, key_file: …}`")


def _secret(keys: CredentialKeys, section: Section) -> None:
    if not (keys.client_secret or keys.private_key or keys.assertion):  # these tell it themselves
        section.missing(
            ("client_secret", "client_auth"),
            "grant client_credentials needs `client_secret`, or a client_auth without one",
        )
