"""The key that the file store has where the configuration names none.

Decides once, in ``state_dir/store.key``, where it is: in the OS keyring, or in that file itself.
Processes that begin together agree, since the first to put the file there wins.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final, Protocol

from proxy.errors import SecretError, StoreError
from proxy.secret import Secret
from proxy.stores.file import first, guarded, locking
from proxy.stores.file.key_file import FILE, IN_KEYRING, text_in
from proxy.stores.key import BYTES, Key, key, text_of

SERVICE: Final = "token-sidecar"


class Keyring(Protocol):
    """The operating system's keyring."""

    def usable(self) -> bool:
        """Whether it protects what is put in it."""

    def find(self, service: str, name: str) -> Secret | None:
        """The password, None where there is none; SecretError where it can't be asked."""

    def keep(self, service: str, name: str, value: Secret) -> None:
        """Put a password in it; SecretError where it takes none."""


def kept_key(state_dir: Path, keyring: Keyring) -> Key:
    """The key, made if there is none.

    Raises:
        StoreError: it can't be read or made; says what to do.
    """
    guarded.directory(state_dir)
    path = state_dir / FILE
    text = text_in(path)
    if text is None:
        text = _made(path, _place(keyring))
    return _from_keyring(path, keyring) if text == IN_KEYRING else key(text, str(path))


def _place(keyring: Keyring) -> str:
    """What the file is to say."""
    return IN_KEYRING if keyring.usable() else text_of(secrets.token_bytes(BYTES))


def _made(path: Path, text: str) -> str:
    """What the file says after we tried to be the first to make it."""
    try:
        first.put(path, f"{text}\n".encode())
    except OSError as error:
        raise StoreError(
            f"can't make the store's key {path}: {error.strerror}; name a `state_dir` that can be"
            " written, or an `encryption_key`"
        ) from None
    found = text_in(path)
    if found is None:
        raise StoreError(f"the store's key {path} was removed; start again")
    return found


def _from_keyring(path: Path, keyring: Keyring) -> Key:
    name, where = f"store key of {path.parent}", f"the key in the keyring that {path} speaks of"
    lock = locking.take_now(path.with_suffix(".lock"))
    try:
        found = keyring.find(SERVICE, name)
        if found is None:
            found = Secret(text_of(secrets.token_bytes(BYTES)))
            keyring.keep(SERVICE, name, found)
    except SecretError as error:
        raise StoreError(f"{where} can't be had: {error}") from None
    finally:
        os.close(lock)
    return key(found.reveal(), where)
