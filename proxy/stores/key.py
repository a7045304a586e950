"""The key that entries are sealed with: what it may look like, and where it came from."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from proxy.errors import StoreError

BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Key:
    """32 random bytes; ``where`` names their place in messages."""

    value: bytes = field(repr=False)
    where: str


def key(text: str, where: str) -> Key:
    """The key that ``text`` says: 32 bytes in base64 (either alphabet) or 64 hexadecimal digits.

    Raises:
        StoreError: it says anything else; a passphrase, for one, is no key.
    """
    value = _value(text.strip())
    if len(value) != BYTES:
        raise StoreError(
            f"{where} is no key: 32 random bytes in base64 are one; `openssl rand -base64 32`"
            " makes it"
        )
    return Key(value, where)


def text_of(value: bytes) -> str:
    """A key as it is written down."""
    return base64.urlsafe_b64encode(value).decode()


def _value(text: str) -> bytes:
    try:
        if len(text) == 2 * BYTES:
            return bytes.fromhex(text)
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded.translate(_STANDARD), validate=True)
    except (ValueError, binascii.Error):
        return b""


_STANDARD: Final = str.maketrans("-_", "+/")
