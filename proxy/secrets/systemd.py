"""Secrets that systemd passes on to a service: files in ``$CREDENTIALS_DIRECTORY``.

See systemd.exec(5), LoadCredential= and LoadCredentialEncrypted=; they last as long as the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.errors import SecretError
from proxy.secret import Secret
from proxy.secrets.file import FileSource

DIRECTORY: Final = "CREDENTIALS_DIRECTORY"


class SystemdSource:
    """The credential ``name`` of the unit that runs us."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = environ

    def read(self) -> Secret:
        """The credential's content; see ``SecretSource``."""
        directory = self._environ.get(DIRECTORY)
        if not directory:
            raise SecretError(
                f"systemd passes on no credentials here (${DIRECTORY} is not set); set"
                f" LoadCredential={self._name}:/path in the unit, and have systemd run it"
            )
        path = Path(directory) / self._name
        if not path.exists():
            raise SecretError(
                f"systemd passes on no credential {self._name}; set"
                f" LoadCredential={self._name}:/path in the unit"
            )
        return FileSource(path).read()

    def warnings(self) -> tuple[str, ...]:
        """None: the directory is the service's alone."""
        return ()
