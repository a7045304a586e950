"""What the store knows an entry by: a text that changes with all that decides what is issued.

No secret, no reference to one that merely rotates, and nothing about how we ask (client
authentication, TLS, renewal) is part of it: whoever changes those keeps the entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from proxy.config.model import (
    BY_PERSON,
    Credential,
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    FromCredential,
    FromRequest,
    Grant,
    KeyringSecret,
    SecretReference,
    SystemdSecret,
    VaultSecret,
)

VERSION: Final = "token-sidecar/1"
_NAMELESS: Final = frozenset({Grant.REFRESH_TOKEN, Grant.STATIC})
"""Beside ``BY_PERSON``: nothing in the configuration tells one resource owner from another."""

_NOTHING: Final[Mapping[str, Credential]] = {}


def identity(credential: Credential, others: Mapping[str, Credential] = _NOTHING) -> str:
    """The identity of a credential's entry: one line of visible ASCII, the same in every process.

    ``token-sidecar/1`` and a JSON object of what is set, its keys sorted. Values that may be
    confidential (``params``, claims) enter as SHA-256 alone.

    Args:
        credential: complete, as ``config`` gives it.
        others: by name, all of the configuration: a token that is exchanged depends on the
            identity of the credential it is exchanged for.
    """
    told = {name: value for name, value in _decisive(credential, others).items() if value}
    return f"{VERSION} {_canonical(told)}"


def _decisive(credential: Credential, others: Mapping[str, Credential]) -> dict[str, Any]:
    provider, sign_in, signing = credential.provider, credential.sign_in, credential.signing
    return {
        "actor": _party(credential.actor, credential, others),
        "actor_type": credential.actor_type,
        "assertion": _place(credential.assertion, credential),
        "audience": sorted(set(credential.audience)),
        "claims": _hashed(signing.claims) if signing is not None else None,
        "client_id": credential.client_id,
        "grant": credential.grant.value,
        "issuer": provider.issuer if provider is not None else None,
        "name": credential.name if credential.grant in BY_PERSON | _NAMELESS else None,
        "params": {name: _hashed(value) for name, value in credential.params.items()},
        "requested_type": credential.requested_type,
        "resource": sorted(set(credential.resource)),
        # Order and repetition mean nothing: RFC 6749 section 3.3.
        "scope": sorted(set((credential.scope or "").split())),
        "session": [sign_in.url, sign_in.connector, sorted(sign_in.cookies)] if sign_in else None,
        "signed": signing is not None,
        "subject": _party(credential.subject, credential, others),
        "subject_type": credential.subject_type,
        "token_url": provider.token_url if provider is not None else None,
        "use": list(credential.use),
        "username": credential.username,
    }


def _party(
    party: SecretReference | FromCredential | FromRequest | None,
    credential: Credential,
    others: Mapping[str, Credential],
) -> list[str] | None:
    """Whose token is exchanged; the callers of a route are told apart by whoever keeps them."""
    match party:
        case FromRequest():
            return ["request"]
        case FromCredential(name) if name in others:
            rest = {key: other for key, other in others.items() if key != name}
            return ["credential", identity(others[name], rest)]
        case FromCredential(name):
            return ["credential name", name]
        case _:
            return _place(party, credential)


def _place(reference: SecretReference | None, credential: Credential) -> list[str] | None:
    """Where a token that stands for somebody comes from: it rotates, its owner does not."""
    match reference:
        case None:
            return None
        case EnvSecret(name):
            return ["env", name]
        case FileSecret(path) | CredentialsFileSecret(path):
            return ["file", str(path)]
        case KeyringSecret(service, name):
            return ["keyring", service, name]
        case SystemdSecret(name):
            return ["systemd", name]
        case VaultSecret(path, key):
            return ["vault", path, key]
        case _:
            return ["name", credential.name]


def _hashed(value: object) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    """Mappings that are no ``dict``; anything else is a mistake of the configuration's model."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} can't be part of an identity")
