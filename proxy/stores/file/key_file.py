"""``store.key`` in the state directory: the key itself, or a word that says it is in the keyring.

Reads it; who makes it and how is ``keeping``'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from proxy.stores.file import guarded
from proxy.stores.key import Key, key

FILE: Final = "store.key"
IN_KEYRING: Final = "keyring"


def key_in(state_dir: Path) -> Key | None:
    """The key in the file; None where there is no file, or the key is in the keyring.

    Raises:
        StoreError: it can't be read, is not ours alone, or is no key.
    """
    path = state_dir / FILE
    text = text_in(path)
    return None if text is None or text == IN_KEYRING else key(text, str(path))


def text_in(path: Path) -> str | None:
    """What the file says, None where there is none.

    Raises:
        StoreError: it can't be read, or is not ours alone.
    """
    written = guarded.content(path)
    return None if written is None else written.decode("utf-8", "replace").strip()
