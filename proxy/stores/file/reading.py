"""An entry out of its file: which file it is, and what stands in it.

For the store and for commands that only look: no loop, no lock, nothing is changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from proxy.stores.file import guarded
from proxy.stores.file.record import Boot, decode
from proxy.stores.sealing import Damaged, Seal
from proxy.tokens.ports import Entry


def entry_file(directory: Path, identity: str) -> Path:
    """The file of this identity's entry."""
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return directory / f"{name}.entry"


def entry_in(path: Path, identity: str, seal: Seal, boot: Boot) -> Entry:
    """The entry in the file, an empty one where there is none.

    Raises:
        Damaged: what stands there is no entry of this identity.
        StoreError: it can't be read, is not ours alone, or was written with another key.
    """
    sealed = guarded.content(path)
    if sealed is None:
        return Entry()
    try:
        return decode(seal.open(sealed, identity, str(path)), boot)
    except ValueError:
        raise Damaged from None
