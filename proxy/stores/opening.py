"""From what the configuration says about the store to the store.

Imports a kind of store, and the libraries it needs, only where it is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import SecretError, StoreError
from proxy.secrets import keyring
from proxy.secrets.references import source
from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import TokenStore


def open_store(
    configured: model.FileStore | None,
    *,
    state_dir: Path,
    environ: Mapping[str, str],
    clock: Clock,
    tell: Callable[[str], None],
) -> TokenStore:
    """The store; None is this process's memory.

    Args:
        configured: as the configuration has it.
        state_dir: where the key is kept if none is configured.
        environ: where environment variables are looked up.
        clock: the process's.
        tell: is told what a person should see to, in words for a log.

    Raises:
        StoreError: it can't be opened: a directory or a key that can't be made or trusted.
    """
    if configured is None:
        return MemoryStore()
    # cryptography costs 10 MB and 50 ms: whoever keeps tokens in memory alone does not pay.
    from proxy.stores.file import boot, keeping, store  # noqa: PLC0415
    from proxy.stores.key import Key, key  # noqa: PLC0415
    from proxy.stores.sealing import Seal  # noqa: PLC0415

    def configured_key(reference: model.SecretReference) -> Key:
        try:
            return key(source(reference, environ).read().reveal(), "the store's `encryption_key`")
        except SecretError as error:
            raise StoreError(f"the store's `encryption_key`: {error}") from None

    if configured.key is None:
        sealing_key = keeping.kept_key(state_dir, keyring)
    else:
        sealing_key = configured_key(configured.key)
    seal = Seal(sealing_key)
    return store.FileStore(configured.directory, seal, clock, boot=boot.boot_id(), tell=tell)
