"""Says in words where a secret stands, for messages about what it holds; reads nothing."""

from __future__ import annotations

from proxy.config.model import (
    CommandSecret,
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PlainSecret,
    SecretReference,
    SystemdSecret,
    VaultSecret,
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
        case CommandSecret():
            # Its arguments may be confidential: where it stands tells it from another.
            at = reference.at
            return f"from the command {reference.argv[0]} at {at.file}:{at.line}:{at.column}"
        case SystemdSecret():
            return f"in systemd's credential {reference.name}"
        case VaultSecret():
            return f"at {reference.path}#{reference.key} in Vault"
