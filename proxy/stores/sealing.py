"""Entries sealed with AES-256-GCM, bound to the identity that they belong to.

Decides the bytes of the format and who may read them; knows no files. NIST SP 800-38D; a nonce
is drawn at random for each sealing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxy.errors import StoreError
from proxy.stores.key import Key

MAGIC: Final = b"token-sidecar entry 1\n"
_FAMILY: Final = b"token-sidecar entry "
_KEY_ID: Final = 8
_NONCE: Final = 12


class Damaged(Exception):  # noqa: N818 - a finding: what comes of it is decided by who reads
    """The bytes are no entry, or not this identity's."""


class Seal:
    """Seals and opens with one key.

    Args:
        key: of 32 bytes.
        random: so many random bytes, for nonces.
    """

    def __init__(self, key: Key, random: Callable[[int], bytes] = os.urandom) -> None:
        self._cipher = AESGCM(key.value)
        self._where = key.where
        # It tells a wrong key from damage, and nothing of the key itself.
        self._key_id = hashlib.sha256(b"token-sidecar key id" + key.value).digest()[:_KEY_ID]
        self._random = random

    def seal(self, content: bytes, identity: str) -> bytes:
        """The bytes to keep."""
        head = MAGIC + self._key_id
        nonce = self._random(_NONCE)
        return head + nonce + self._cipher.encrypt(nonce, content, head + identity.encode())

    def open(self, sealed: bytes, identity: str, where: str) -> bytes:
        """What was sealed for this identity; ``where`` names the bytes in messages.

        Raises:
            Damaged: it was changed, cut short, or belongs to another identity.
            StoreError: it was sealed with another key, or by a newer version.
        """
        if not sealed.startswith(MAGIC):
            if sealed.startswith(_FAMILY):
                raise StoreError(f"{where} was written by another version of token-sidecar")
            raise Damaged
        head, rest = sealed[: len(MAGIC) + _KEY_ID], sealed[len(MAGIC) + _KEY_ID :]
        if len(rest) <= _NONCE:
            raise Damaged
        if not head.endswith(self._key_id):
            raise StoreError(
                f"{where} is encrypted with another key than {self._where}: give the store its"
                f" key back, or remove {where} to begin anew"
            )
        try:
            return self._cipher.decrypt(rest[:_NONCE], rest[_NONCE:], head + identity.encode())
        except InvalidTag:
            raise Damaged from None
