"""From what the configuration says about a secret to the source that reads it."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.config import credentials_file
from proxy.config.model import (
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PlainSecret,
    SecretReference,
)
from proxy.secret import Secret
from proxy.secrets.file import FieldSource, FileSource
from proxy.secrets.keyring import KeyringSource
from proxy.secrets.source import EnvSource, PlainSource, SecretSource


def source(reference: SecretReference, environ: Mapping[str, str]) -> SecretSource:
    """The source that ``reference`` names; nothing is read yet."""
    match reference:
        case EnvSecret():
            return EnvSource(reference.name, environ)
        case FileSecret():
            return FileSource(reference.path)
        case CredentialsFileSecret():
            return FieldSource(reference.path, _client_secret)
        case PlainSecret():
            return PlainSource(reference.value)
        case KeyringSecret():
            return KeyringSource(reference.service, reference.name)


def _client_secret(text: str) -> Secret:
    return credentials_file.parse(text).client_secret or Secret("")
