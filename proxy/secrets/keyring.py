"""Secrets in the operating system's keyring: read for the configuration, kept for the store.

The library is imported when one is wanted, and only then: it looks for every backend there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.errors import SecretError, SecretUnavailableError
from proxy.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

RECOMMENDED: Final = 1
"""The least priority of a backend that protects what it keeps, by the library's own measure."""


class KeyringSource:
    """The password of ``name`` at ``service``."""

    def __init__(self, service: str, name: str) -> None:
        self._service = service
        self._name = name

    def read(self) -> Secret:
        """The password as it is now; see ``SecretSource``."""
        value = find(self._service, self._name)
        if not value:
            raise SecretError(
                f"the keyring has no password for {self._service}/{self._name};"
                f" keyring set {self._service} {self._name}"
            )
        return value

    def warnings(self) -> tuple[str, ...]:
        """None."""
        return ()


def usable() -> bool:
    """Whether there is a keyring that protects what is put in it."""
    try:
        return float(_backend().priority) >= RECOMMENDED
    except SecretError:
        return False


def find(service: str, name: str) -> Secret | None:
    """The password, None where there is none.

    Raises:
        SecretError: no keyring can be asked.
    """
    backend = _backend()
    try:
        value = backend.get_password(service, name)
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise _unanswered(error) from None
    return None if value is None else Secret(value)


def keep(service: str, name: str, value: Secret) -> None:
    """Put a password in the keyring.

    Raises:
        SecretError: no keyring takes it.
    """
    backend = _backend()
    try:
        backend.set_password(service, name, value.reveal())
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise _unanswered(error) from None


def forget(service: str, name: str) -> None:
    """Take a password out of the keyring.

    Raises:
        SecretError: no keyring can be asked, or there is none.
    """
    backend = _backend()
    try:
        backend.delete_password(service, name)
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise _unanswered(error) from None


def _backend() -> KeyringBackend:
    try:
        import keyring  # noqa: PLC0415 - see above
    except ImportError:
        raise SecretError(
            "the keyring needs the extra `keyring`: pip install 'token-sidecar[keyring]'"
        ) from None
    try:
        return keyring.get_keyring()
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise _unanswered(error) from None


def _unanswered(error: Exception) -> SecretError:
    """Its class says enough, its words might say too much."""
    name = type(error).__name__
    told = f"the keyring can't be used ({name}); unlock it, or name another place"
    # Where there is none at all, waiting for it helps nobody.
    return SecretError(told) if name == "NoKeyringError" else SecretUnavailableError(told)
