"""Opening a store: which kind, and the key that is found or made."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import SecretError, StoreError
from proxy.secret import Secret
from proxy.stores.file.keeping import kept_key
from proxy.stores.file.store import FileStore
from proxy.stores.key import text_of
from proxy.stores.memory import MemoryStore
from proxy.stores.opening import open_store
from proxy.tokens.ports import Entry, TokenStore
from tests.support.process import REPOSITORY

HERE = model.Position("c.yaml", 1, 1)


class Ring:
    """A keyring that keeps passwords, or is none."""

    def __init__(self, *, usable: bool = True) -> None:
        self.is_usable = usable
        self.kept: dict[tuple[str, str], Secret] = {}

    def usable(self) -> bool:
        return self.is_usable

    def find(self, service: str, name: str) -> Secret | None:
        if not self.is_usable:
            raise SecretError("the keyring can't be used (NoKeyringError); unlock it")
        return self.kept.get((service, name))

    def keep(self, service: str, name: str, value: Secret) -> None:
        self.kept[service, name] = value


def opened(tmp_path: Path, key: model.SecretReference | None, **environ: str) -> TokenStore:
    return open_store(
        model.FileStore(tmp_path / "tokens", key),
        state_dir=tmp_path / "state",
        environ=environ,
        clock=SystemClock(),
        tell=lambda _: None,
    )


def test_nothing_configured_is_memory_and_imports_no_cryptography() -> None:
    program = (
        "import sys; from proxy.stores.opening import open_store;"
        "s = open_store(None, state_dir=None, environ={}, clock=None, tell=print);"
        "print(type(s).__name__, 'cryptography' in sys.modules, 'keyring' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [MemoryStore.__name__, "False", "False"]


def test_redis_is_imported_where_it_is_configured_and_nowhere_else(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from proxy.config.model import *;"
        "from proxy.secret import Secret; from proxy.stores.opening import open_store;"
        "key = PlainSecret(Secret('00' * 32), Position('c.yaml', 1, 1));"
        "place = RedisPlace('tcp', (('127.0.0.1', 1),));"
        f"files = FileStore(Path('{tmp_path}', 'tokens'), key);"
        "more = {'state_dir': None, 'environ': {}, 'clock': None, 'tell': print};"
        "kind = lambda one: (type(open_store(one, **more)).__name__, 'redis' in sys.modules);"
        "print(*kind(files), *kind(RedisStore(place, key)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["FileStore", "False", "RedisStore", "True"]


async def test_a_configured_key_opens_what_it_closed(tmp_path: Path) -> None:
    reference = model.EnvSecret("KEY", HERE)
    text = text_of(bytes(32))
    for _ in range(2):
        store = opened(tmp_path, reference, KEY=text)
        assert isinstance(store, FileStore)
        async with store.lock("one"):
            entry = await store.load("one")
            await store.save("one", Entry(generation=entry.generation + 1))
    assert (await store.load("one")).generation == 2
    assert not (tmp_path / "state").exists()


async def test_a_key_may_be_what_a_program_prints(tmp_path: Path) -> None:
    program = model.CommandSecret(("sh", "-c", f"echo {text_of(bytes(32))}"), HERE)
    assert isinstance(opened(tmp_path, program, PATH="/usr/bin:/bin"), FileStore)
    with pytest.raises(StoreError, match=r"`encryption_key`: the command false ended with 1"):
        opened(tmp_path, model.CommandSecret(("false",), HERE), PATH="/usr/bin:/bin")


@pytest.mark.parametrize(
    ("environ", "message"),
    [({}, "KEY is not set"), ({"KEY": "canary"}, "is no key: 32 random bytes")],
)
def test_a_configured_key_that_is_none_is_told_of_and_not_shown(
    tmp_path: Path, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        opened(tmp_path, model.EnvSecret("KEY", HERE), **environ)
    assert "encryption_key" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_without_a_keyring_the_key_is_a_file_of_ours_alone(tmp_path: Path) -> None:
    first = kept_key(tmp_path / "state", Ring(usable=False))
    assert kept_key(tmp_path / "state", Ring()) == first
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["store.key"]
    assert (tmp_path / "state" / "store.key").stat().st_mode & 0o7777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o7777 == 0o700


def test_with_a_keyring_no_key_stands_in_a_file(tmp_path: Path) -> None:
    ring = Ring()
    first = kept_key(tmp_path, ring)
    assert kept_key(tmp_path, ring) == first
    assert (tmp_path / "store.key").read_text() == "keyring\n"
    assert [kept.reveal() for kept in ring.kept.values()] == [text_of(first.value)]


def test_a_key_in_a_keyring_that_is_gone_is_not_replaced(tmp_path: Path) -> None:
    ring = Ring()
    first = kept_key(tmp_path, ring)
    ring.is_usable = False
    with pytest.raises(StoreError, match=r"the key in the keyring.*unlock it"):
        kept_key(tmp_path, ring)
    ring.is_usable = True
    assert kept_key(tmp_path, ring) == first


@pytest.mark.parametrize("usable", [True, False])
def test_those_who_start_together_agree_on_a_key(tmp_path: Path, usable: bool) -> None:
    ring, found = Ring(usable=usable), list[bytes]()
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        found.append(kept_key(tmp_path, ring).value)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(list(tmp_path.iterdir())) == (2 if usable else 1)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    kept_key(tmp_path, Ring(usable=False))
    (tmp_path / "store.key").chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        kept_key(tmp_path, Ring())


def test_a_key_file_with_something_else_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "store.key").write_text("canary")
    (tmp_path / "store.key").chmod(0o600)
    tmp_path.chmod(0o700)
    with pytest.raises(StoreError, match=r"store\.key is no key") as caught:
        kept_key(tmp_path, Ring())
    assert "canary" not in str(caught.value)
    assert (tmp_path / "store.key").read_text() == "canary"
