"""Where a draft's secrets go: files of ours, the keyring, or variables that somebody else sets.

Files are 0600 in a directory that is ours alone; what is there already is never replaced unasked.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from proxy.draft.draft import Draft
from proxy.errors import DraftError, SecretError
from proxy.secret import Secret
from proxy.secrets import keyring

Kind: TypeAlias = Literal["file", "keyring", "env"]
SERVICE: Final = "token-sidecar"
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


@dataclass(slots=True)
class Keeper:
    """Keeps secrets, and takes back what it wrote.

    Attributes:
        kind: where values go.
        config: the configuration file that will name them.
        name: the credential's.
        force: what is there may be replaced.
    """

    kind: Kind
    config: Path
    name: str
    force: bool = False
    _before: dict[Path, bytes | None] = field(default_factory=dict)
    _handed_over: dict[str, Secret | None] = field(default_factory=dict)

    def places(self, draft: Draft) -> dict[str, Mapping[str, str]]:
        """Where each secret of ``draft`` is, or will be; nothing is written yet."""
        return {
            key: self._place(key) if isinstance(value, Secret) else value
            for key, value in draft.secrets.items()
        }

    def keep(self, draft: Draft) -> tuple[str, ...]:
        """Write the values down; what whoever asked has to do or know.

        Raises:
            DraftError: a file can't be written, or is there already.
            SecretError: the keyring takes nothing.
        """
        values = {key: one for key, one in draft.secrets.items() if isinstance(one, Secret)}
        return tuple(filter(None, (self._keep(key, value) for key, value in values.items())))

    def undo(self) -> None:
        """Put the files and the keyring back as they were."""
        for path, content in self._before.items():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                if content is not None:
                    _create(path, content)
        for name, value in self._handed_over.items():
            with contextlib.suppress(SecretError):
                if value is None:
                    keyring.forget(SERVICE, name)
                else:
                    keyring.keep(SERVICE, name, value)
        with contextlib.suppress(OSError):
            self._directory.rmdir()  # if that was all that was in it

    @property
    def _directory(self) -> Path:
        return self.config.with_suffix(".secrets")

    def _place(self, key: str) -> Mapping[str, str]:
        match self.kind:
            case "file":
                return {"file": f"{self._directory.name}/{self.name}.{key}"}
            case "keyring":
                return {"keyring": f"{SERVICE}/{self.name}.{key}"}
            case "env":
                return {"env": self.variable(key)}

    def variable(self, key: str) -> str:
        """The name of the environment variable for a key."""
        return re.sub(r"[^A-Z0-9]", "_", f"{self.name}_{key}".upper())

    def _keep(self, key: str, value: Secret) -> str | None:
        match self.kind:
            case "file":
                path = self._directory / f"{self.name}.{key}"
                self._write(path, value)
                return f"{path}: the {key}, readable by you alone"
            case "keyring":
                self._hand_over(f"{self.name}.{key}", value)
                return f"the keyring has the {key} at {SERVICE}/{self.name}.{key}"
            case "env":
                return None

    def _hand_over(self, name: str, value: Secret) -> None:
        before = keyring.find(SERVICE, name)
        if before and not self.force:
            raise DraftError(
                f"the keyring has a password at {SERVICE}/{name} already; --force replaces it"
            )
        keyring.keep(SERVICE, name, value)
        self._handed_over[name] = before

    def _write(self, path: Path, value: Secret) -> None:
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            before = path.read_bytes() if self.force and path.is_file() else None
            if self.force:
                path.unlink(missing_ok=True)
            self._before[path] = before
            _create(path, f"{value.reveal()}\n".encode())
        except FileExistsError:
            del self._before[path]
            raise DraftError(f"{path} is there already; --force replaces it") from None
        except OSError as error:
            raise DraftError(f"{path} can't be written: {error.strerror}") from None


def _create(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, ours alone from its first moment on."""
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
    with open(os.open(path, new, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(content)
