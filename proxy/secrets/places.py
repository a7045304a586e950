"""Says in words where a secret stands, for messages about what it holds; reads nothing."""

from __future__ import annotations

from proxy.config.model import (
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PlainSecret,
    SecretReference,
)


def place(reference: SecretReference) -> str:
    """Where ``reference`` points to, to follow the name of what is there."""
    match reference:
        case EnvSecret():
            return f"in environment variable {reference.name}"
        case FileSecret() | CredentialsFileSecret():
            return f"in {reference.path}"
        case PlainSecret():
            return f"at {reference.at.file}:{reference.at.line}:{reference.at.column}"
        case KeyringSecret():
            return f"of {reference.name} at {reference.service} in the keyring"
