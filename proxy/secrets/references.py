"""From what the configuration says about a secret to the source that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from proxy.clock import Clock, SystemClock
from proxy.config import credentials_file
from proxy.config.model import (
    CommandSecret,
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PlainSecret,
    SecretReference,
    SystemdSecret,
    Vault,
    VaultAppRole,
    VaultSecret,
)
from proxy.secret import Secret
from proxy.secrets.file import FieldSource, FileSource
from proxy.secrets.keyring import KeyringSource
from proxy.secrets.source import EnvSource, PlainSource, SecretSource

if TYPE_CHECKING:
    from proxy.secrets.vault.reader import VaultReader

Sources: TypeAlias = Callable[[SecretReference], SecretSource]
"""Where secrets are looked up: the source that a reference names; nothing is read yet."""


class Direct:
    """``Sources`` that ask the place itself whenever somebody reads, however long that takes.

    Args:
        environ: where environment variables are looked up, and what commands are run with.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self._environ = environ
        self._clock = clock or SystemClock()
        self._readers: dict[Vault, VaultReader] = {}

    def __call__(self, reference: SecretReference) -> SecretSource:
        """The source of ``reference``."""
        match reference:
            case EnvSecret():
                return EnvSource(reference.name, self._environ)
            case FileSecret():
                return FileSource(reference.path)
            case CredentialsFileSecret():
                return FieldSource(reference.path, _client_secret)
            case PlainSecret():
                return PlainSource(reference.value)
            case KeyringSecret():
                return KeyringSource(reference.service, reference.name)
            case SystemdSecret():
                from proxy.secrets.systemd import SystemdSource  # noqa: PLC0415 - where it is used

                return SystemdSource(reference.name, self._environ)
            case CommandSecret():
                from proxy.secrets.command import CommandSource  # noqa: PLC0415 - as above

                return CommandSource(reference.argv, self._environ)
            case VaultSecret():
                return self._in_vault(reference)

    def _in_vault(self, reference: VaultSecret) -> SecretSource:
        # It brings along aiohttp's client, 15 MB: not for those who have no secret there.
        from proxy.secrets.vault.reader import VaultReader  # noqa: PLC0415
        from proxy.secrets.vault.source import VaultSource  # noqa: PLC0415

        vault = reference.vault
        if vault not in self._readers:
            self._readers[vault] = VaultReader(vault, self, self._clock)
        return VaultSource(reference, self._readers[vault], self._environ, self._clock)


def source(reference: SecretReference, environ: Mapping[str, str]) -> SecretSource:
    """The source that ``reference`` names, once; nothing is read yet."""
    return Direct(environ)(reference)


def keys_of(vault: Vault) -> tuple[SecretReference, ...]:
    """The secrets that we log in to Vault with."""
    login = vault.login
    if isinstance(login, VaultAppRole):
        found = (login.role_id, login.secret_id)
        return tuple(one for one in found if one is not None)
    return (login.token,)


def _client_secret(text: str) -> Secret:
    return credentials_file.parse(text).client_secret or Secret("")
