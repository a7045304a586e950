"""Looks into the store of files for a token that will do as it is: no loop, no lock, no provider.

Where it finds none, or anything is odd, it says so by finding none: who opens the store in full
finds out the same and explains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proxy.client.index import Index, Indexed, IndexedStore
from proxy.client.lent import Lent
from proxy.clock import Moment
from proxy.errors import SecretError, StoreError
from proxy.secrets.file import FileSource
from proxy.secrets.source import EnvSource
from proxy.stores.file.key_file import key_in
from proxy.stores.key import Key, key
from proxy.tokens.ports import Entry
from proxy.tokens.presence import left, will_do


def present(
    index: Index, credential: Indexed, environ: Mapping[str, str], least: float, now: Moment
) -> Entry | None:
    """The credential's entry, if its token serves as it is and for ``least`` seconds more."""
    entry = entry_of(index, credential, environ, now)
    if entry is None or not will_do(entry, now, credential.margin, least):
        return None
    return entry


def entry_of(
    index: Index, credential: Indexed, environ: Mapping[str, str], now: Moment
) -> Entry | None:
    """The credential's entry, an empty one where there is none; None: it takes more to know."""
    if index.store is None or not credential.kept:
        return None
    try:
        return _entry(index.store, Path(index.state_dir), credential.identity, environ, now)
    except (StoreError, SecretError):
        return None


def lent_of(entry: Entry, now: Moment) -> Lent:
    """The entry's token as a sidecar would lend it."""
    token = entry.token
    if token is None:
        raise ValueError("an entry without a token can't be lent")
    return Lent(
        token.value, token.field, entry.generation, token.session is not None, left(token, now)
    )


def _entry(
    store: IndexedStore, state_dir: Path, identity: str, environ: Mapping[str, str], now: Moment
) -> Entry | None:
    # cryptography is imported only where an entry is read: see the first lines of `opening`.
    from proxy.stores.file.boot import boot_id  # noqa: PLC0415
    from proxy.stores.file.reading import entry_file, entry_in  # noqa: PLC0415
    from proxy.stores.file.record import Boot  # noqa: PLC0415
    from proxy.stores.sealing import Damaged, Seal  # noqa: PLC0415

    key = _key(store, state_dir, environ)
    if key is None:
        return None
    file = entry_file(Path(store.directory), identity)
    try:
        return entry_in(file, identity, Seal(key), Boot(boot_id(), now))
    except Damaged:
        return None


def _key(store: IndexedStore, state_dir: Path, environ: Mapping[str, str]) -> Key | None:
    """The store's key; None: it is not there yet, or in the keyring."""
    if store.key is None:
        return key_in(state_dir)
    kind, where = store.key
    source = EnvSource(where, environ) if kind == "env" else FileSource(Path(where))
    return key(source.read().reveal(), "the store's `encryption_key`")
