"""Stores to try things on: each kind by name, opened as often as a test needs processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from proxy.clock import Clock
from proxy.config.model import RedisPlace
from proxy.secret import Secret
from proxy.stores.file.store import FileStore
from proxy.stores.file.watching import Watchers
from proxy.stores.key import Key
from proxy.stores.memory import MemoryStore
from proxy.stores.sealing import Seal
from proxy.tokens.ports import Entry, TokenStore
from proxy.tokens.session import Session
from proxy.tokens.token import RefreshToken, Token
from tests.support.redis_server import redis_store

KEY = Key(bytes(range(32)), "the key of the tests")


def file_store(
    directory: Path,
    clock: Clock,
    *,
    key: Key = KEY,
    boot: str = "this boot",
    told: Callable[[str], None] = lambda _: None,
    inotify: bool | None = None,
) -> FileStore:
    """A store as one more process would open it."""
    path = directory / "tokens"
    store = FileStore(path, Seal(key), clock, boot=boot, tell=told)
    if inotify is not None:
        watchers = Watchers(path, clock, inotify=inotify)
        store = FileStore(path, Seal(key), clock, boot=boot, tell=told, watchers=watchers)
    return store


def opener(
    kind: str, directory: Path, clock: Clock, redis: RedisPlace | None = None
) -> Callable[[], TokenStore]:
    """Opens the same store again and again; the one in memory is one for all."""
    memory = MemoryStore()
    match kind:
        case "memory":
            return lambda: memory
        case "file":
            return lambda: file_store(directory, clock)
        case "polled file":
            return lambda: file_store(directory, clock, inotify=False)
        case "redis" if redis is not None:
            return lambda: redis_store(redis, clock, key=KEY)
        case _:
            raise ValueError(kind)


def full_entry(clock: Clock, generation: int = 7) -> Entry:
    """An entry with everything in it."""
    now = clock.now()
    return Entry(
        token=Token(
            value=Secret(f"canary-token-{generation}"),
            field="access_token",
            received=now,
            expires=now.later(300.125),
            session=Session(frozenset({"a", "b"}), frozenset({"https://id.example/login"})),
            warnings=("odd",),
        ),
        generation=generation,
        refresh=RefreshToken(Secret(f"canary-refresh-{generation}"), now.later(1e6)),
        rejected=generation - 1,
        storm_until=now.later(10.0),
        learned=1234.5,
    )
