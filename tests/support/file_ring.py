"""A keyring for other processes: a JSON file; locked while a file ``locked`` lies beside it.

Named by ``PYTHON_KEYRING_BACKEND=tests.support.file_ring.FileRing``; ``FILE_RING`` is the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class FileRing(KeyringBackend):
    """Passwords by ``service/name``."""

    priority = 5  # type: ignore[assignment] - the library's own backends do it so

    def get_password(self, service: str, username: str) -> str | None:
        """The password, if there is one."""
        file = Path(os.environ["FILE_RING"])
        if file.with_name("locked").exists():
            raise RuntimeError("canary: the ring is locked")
        found = json.loads(file.read_text()).get(f"{service}/{username}")
        return None if found is None else str(found)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Not wanted."""
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        """Not wanted."""
        raise NotImplementedError
