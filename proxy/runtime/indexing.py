"""From a configuration to what commands keep of it, and to the configuration where that is gone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from proxy.client.index import Index, Indexed, IndexedStore, remember
from proxy.config import model
from proxy.runtime.reading import load
from proxy.stores.identity import identity


def read(path: Path, environ: Mapping[str, str]) -> tuple[model.Config, Index]:
    """Read the configuration in full, and keep the index of it.

    Raises:
        ConfigurationError: it can't be used.
    """
    began = time.time()
    config = load(path, environ)
    index = indexed(config)
    remember(path, environ, (config.path, *config.files), index, began)
    return config, index


def indexed(config: model.Config) -> Index:
    """What commands need to know of it."""
    return Index(
        state_dir=str(config.state_dir),
        hold=config.hold,
        store=_store(config),
        credentials={name: _credential(one, config) for name, one in config.credentials.items()},
    )


def _credential(credential: model.Credential, config: model.Config) -> Indexed:
    return Indexed(
        identity=identity(credential, config.credentials),
        grant=credential.grant.value,
        margin=credential.renew.margin,
        kept=config.store is not None and credential.grant is not model.Grant.STATIC,
        lent=not isinstance(credential.subject, model.FromRequest),
    )


def _store(config: model.Config) -> IndexedStore | None:
    if not isinstance(config.store, model.FileStore):
        return None
    match config.store.key:
        case None:
            key = None
        case model.EnvSecret(name):
            key = ("env", name)
        case model.FileSecret(path):
            key = ("file", str(path))
        case _:
            return None  # in a keyring, or in the configuration, where it stays
    return IndexedStore(str(config.store.directory), key)
