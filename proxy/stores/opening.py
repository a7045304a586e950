"""From what the configuration says about the store to the store.

Imports a kind of store, and the libraries it needs, only where it is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import SystemRandom

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import SecretError, StoreError
from proxy.secret import Secret
from proxy.secrets import keyring
from proxy.secrets.references import Direct, Sources
from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import TokenStore


def open_store(
    configured: model.Store | None,
    *,
    state_dir: Path,
    environ: Mapping[str, str],
    clock: Clock,
    tell: Callable[[str], None],
    secrets: Sources | None = None,
) -> TokenStore:
    """The store; None is this process's memory.

    Args:
        configured: as the configuration has it.
        state_dir: where the key is kept if none is configured.
        environ: where environment variables are looked up.
        clock: the process's.
        tell: is told what a person should see to, in words for a log.
        secrets: where secrets are looked up; None: in their places, however long that takes.

    Raises:
        StoreError: it can't be opened: a directory or a key that can't be made or trusted.
    """
    if configured is None:
        return MemoryStore()
    # cryptography costs 10 MB and 50 ms: whoever keeps tokens in memory alone does not pay.
    from proxy.stores.key import key  # noqa: PLC0415
    from proxy.stores.sealing import Seal  # noqa: PLC0415

    def read(reference: model.SecretReference, name: str) -> Secret:
        try:
            return (secrets or Direct(environ, clock))(reference).read()
        except SecretError as error:
            raise StoreError(f"the store's `{name}`: {error}") from None

    def configured_seal(reference: model.SecretReference) -> Seal:
        text = read(reference, "encryption_key").reveal()
        return Seal(key(text, "the store's `encryption_key`"))

    if isinstance(configured, model.RedisStore):
        # 100 ms and 8 MB, and a library that is an extra.
        try:
            from proxy.stores.redis.link import Link  # noqa: PLC0415
            from proxy.stores.redis.store import RedisStore  # noqa: PLC0415
        except ModuleNotFoundError:
            raise StoreError(
                "Redis needs the extra `redis`: pip install 'token-sidecar[redis]'"
            ) from None

        secret = None if configured.password is None else read(configured.password, "password")
        reached = Link(configured.place, configured.tls, secret)
        seal = configured_seal(configured.key)
        return RedisStore(reached, seal, clock, SystemRandom(), tell)

    from proxy.stores.file import boot, keeping, store  # noqa: PLC0415 - as above

    if configured.key is None:
        seal = Seal(keeping.kept_key(state_dir, keyring))
    else:
        seal = configured_seal(configured.key)
    return store.FileStore(configured.directory, seal, clock, boot=boot.boot_id(), tell=tell)
