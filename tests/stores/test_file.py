"""The store in files: whose they are, how they look, what happens when they can't be used."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.clock import Moment, SystemClock
from proxy.errors import StoreError
from proxy.stores.file.store import FileStore
from proxy.stores.key import Key
from proxy.tokens.ports import Entry
from tests.support.clock import FakeClock, settle
from tests.support.stores import file_store, full_entry


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock, told: list[str]) -> AsyncIterator[FileStore]:
    opened = file_store(tmp_path, clock, told=told.append)
    yield opened
    await opened.close()


async def put(store: FileStore, entry: Entry, identity: str = "one") -> None:
    async with store.lock(identity):
        await store.save(identity, entry)


def files(directory: Path, ending: str) -> list[Path]:
    return sorted((directory / "tokens").glob(f"*{ending}"))


def block(directory: Path) -> Path:
    """No file of that entry can be written any more: something is in the way."""
    obstacle = files(directory, ".entry")[0].with_suffix(".entry.new")
    obstacle.mkdir()
    (obstacle / "x").touch()
    return obstacle


def unblock(obstacle: Path) -> None:
    (obstacle / "x").unlink()
    obstacle.rmdir()


async def test_no_secret_and_no_identity_stands_in_the_files(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock), "canary-identity")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "tokens").iterdir())
    names = "".join(path.name for path in (tmp_path / "tokens").iterdir())
    assert len(everything) > 200
    assert b"canary" not in everything
    assert "canary" not in names


async def test_files_and_directory_are_the_owners_alone(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    before = os.umask(0)
    try:
        await put(store, full_entry(clock))
    finally:
        os.umask(before)
    assert (tmp_path / "tokens").stat().st_mode & 0o7777 == 0o700
    assert {path.stat().st_mode & 0o7777 for path in (tmp_path / "tokens").iterdir()} == {0o600}
    assert len(files(tmp_path, "")) == 2


async def test_an_open_directory_is_refused_with_the_command_that_mends_it(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "tokens").chmod(0o755)
    with pytest.raises(StoreError, match=r"mode 0755\); chmod 700 .*tokens"):
        file_store(tmp_path, clock)
    with pytest.raises(StoreError, match="chmod 700"):
        await put(store, Entry())


async def test_a_directory_that_is_a_link_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "tokens").symlink_to(tmp_path / "real")
    with pytest.raises(StoreError, match="no link"):
        file_store(tmp_path, clock)


async def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't make the directory"):
        file_store(tmp_path / "file", clock)


@pytest.mark.parametrize("ending", [".entry", ".lock"])
async def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(
    store: FileStore, tmp_path: Path, clock: FakeClock, ending: str
) -> None:
    await put(store, full_entry(clock))
    path = files(tmp_path, ending)[0]
    path.chmod(0o644)
    with pytest.raises(StoreError, match=f"chmod 600 {path}"):
        async with store.lock("one"):
            await store.load("one")
    path.chmod(0o600)
    assert await store.load("one") == full_entry(clock)


@pytest.mark.parametrize("ending", [".entry", ".lock"])
async def test_a_link_in_a_files_place_is_refused(
    store: FileStore, tmp_path: Path, clock: FakeClock, ending: str
) -> None:
    await put(store, full_entry(clock))
    path = files(tmp_path, ending)[0]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link, which is not followed; rm "):
        async with store.lock("one"):
            await store.load("one")


async def test_somebody_elses_file_is_refused(
    store: FileStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, full_entry(clock))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(StoreError, match="belongs to another user; chown 12345 "):
        await store.load("one")


@pytest.mark.parametrize("damage", [b"", b"token-sidecar entry 1\n", b"garbage" * 40])
async def test_a_damaged_entry_is_set_aside_and_the_others_live_on(
    store: FileStore, tmp_path: Path, clock: FakeClock, told: list[str], damage: bytes
) -> None:
    await put(store, full_entry(clock))
    path = files(tmp_path, ".entry")[0]
    await put(store, full_entry(clock), "other")
    path.write_bytes(damage)
    async with store.lock("one"):
        assert await store.load("one") == Entry()
        await store.save("one", full_entry(clock, 8))
    assert await store.load("one") == full_entry(clock, 8)
    assert await store.load("other") == full_entry(clock)
    aside = files(tmp_path, ".damaged-*")
    assert [one.read_bytes() for one in aside] == [damage]
    assert told == [f"{path} was damaged: it is set aside as {aside[0].name}; begun anew"]


async def test_only_who_holds_the_lock_sets_aside(
    store: FileStore, tmp_path: Path, clock: FakeClock, told: list[str]
) -> None:
    await put(store, full_entry(clock))
    files(tmp_path, ".entry")[0].write_bytes(b"garbage")
    assert await store.load("one") == Entry()
    assert (files(tmp_path, ".damaged-*"), told) == ([], [])


async def test_a_whole_entry_that_a_dead_writer_left_is_the_newest(
    store: FileStore, tmp_path: Path, clock: FakeClock, told: list[str]
) -> None:
    await put(store, full_entry(clock, 2))
    path = files(tmp_path, ".entry")[0]
    newest = path.read_bytes()
    await put(store, full_entry(clock, 1))
    left = path.with_suffix(".entry.new")
    left.write_bytes(newest)
    left.chmod(0o600)
    async with store.lock("one"):
        assert await store.load("one") == full_entry(clock, 2)
    assert not left.exists()
    left.write_bytes(newest[:-1])
    left.chmod(0o600)
    async with store.lock("one"):
        assert await store.load("one") == full_entry(clock, 2)
        await store.save("one", full_entry(clock, 3))
    assert await store.load("one") == full_entry(clock, 3)
    assert not left.exists()
    assert told == []


async def test_an_entry_under_another_key_stays_as_it_is(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock))
    stranger = file_store(tmp_path, clock, key=Key(bytes(32), "the new key"))
    with pytest.raises(StoreError, match="another key than the new key"):
        async with stranger.lock("one"):
            await stranger.load("one")
    assert await store.load("one") == full_entry(clock)


async def test_what_cannot_be_written_is_kept_told_of_and_written_when_it_can_be(
    store: FileStore, tmp_path: Path, clock: FakeClock, told: list[str]
) -> None:
    other = file_store(tmp_path, clock)
    await put(store, full_entry(clock, 1))
    obstacle = block(tmp_path)
    await put(store, full_entry(clock, 2))
    await put(store, full_entry(clock, 3))
    assert await store.load("one") == full_entry(clock, 3)
    assert (await other.load("one")).generation == 1
    unblock(obstacle)
    await clock.advance(5.0)
    assert (await other.load("one")).generation == 3
    assert [("can't write" in one, "written again" in one) for one in told] == [
        (True, False),
        (False, True),
    ]
    async with other.lock("one"):
        pass


@contextmanager
def full_disk(left: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: a longer write ends in the middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("left", [0, 1, 100])
async def test_a_disk_that_is_full_in_the_middle_of_an_entry_loses_neither(
    store: FileStore, tmp_path: Path, clock: FakeClock, left: int
) -> None:
    await put(store, full_entry(clock, 1))
    with full_disk(left):
        await put(store, full_entry(clock, 2))
    other = file_store(tmp_path, clock)
    assert (await other.load("one"), await store.load("one")) == (
        full_entry(clock, 1),
        full_entry(clock, 2),
    )
    newest = await store.load("one")
    await clock.advance(5.0)
    assert await other.load("one") == newest


async def test_a_store_that_can_make_no_lock_keeps_in_memory_until_it_can(
    store: FileStore,
    tmp_path: Path,
    clock: FakeClock,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        for identity in ("one", "two"):
            await put(store, full_entry(clock), identity)
    assert files(tmp_path, "") == []
    assert ["Read-only file system" in one for one in told] == [True, True]
    assert await store.load("two") == full_entry(clock)
    other = file_store(tmp_path, clock)
    async with other.lock("one"):
        await clock.advance(5.0)
        assert (await other.load("one"), (await other.load("two")).generation) == (Entry(), 7)
    await clock.advance(5.0)
    assert (await other.load("one")).generation == 7
    async with other.lock("one"), other.lock("two"):
        pass


async def test_nobody_else_may_use_the_old_entry_while_a_newer_one_could_not_be_written(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock, 1))
    obstacle = block(tmp_path)
    await put(store, full_entry(clock, 2))
    other = asyncio.create_task(put(file_store(tmp_path, clock), full_entry(clock, 9)))
    await clock.advance(30.0)
    assert not other.done()
    unblock(obstacle)
    await clock.advance(10.0)
    await other
    assert (await store.load("one")).generation == 9


async def test_who_waits_for_a_lock_too_long_is_told_which(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    async with store.lock("one"):
        other = asyncio.create_task(put(file_store(tmp_path, clock), Entry()))
        await clock.advance(61.0)
        with pytest.raises(StoreError, match=r"\.lock has been locked by another process for 60 s"):
            await other


async def test_the_last_word_is_written_at_the_end(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock, 1))
    obstacle = block(tmp_path)
    await put(store, full_entry(clock, 2))
    unblock(obstacle)
    await store.close()
    assert clock.timers == 0
    other = file_store(tmp_path, clock)
    async with other.lock("one"):
        assert (await other.load("one")).generation == 2


async def test_a_directory_that_was_removed_is_made_again(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock))
    for path in (tmp_path / "tokens").iterdir():
        path.unlink()
    (tmp_path / "tokens").rmdir()
    assert await store.load("one") == Entry()
    await put(store, full_entry(clock))
    assert await store.load("one") == full_entry(clock)


async def test_another_process_of_the_same_boot_believes_both_clocks(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    await put(store, full_entry(clock))
    clock.jump_wall(-500.0)
    assert await file_store(tmp_path, clock).load("one") == await store.load("one")


@pytest.mark.parametrize("boots", [("this boot", "another"), ("", "")])
async def test_after_a_boot_the_monotonic_time_follows_the_wall_clock(
    tmp_path: Path, clock: FakeClock, boots: tuple[str, str]
) -> None:
    await put(file_store(tmp_path, clock, boot=boots[0]), full_entry(clock))
    later = FakeClock(monotonic=5.0, wall=clock.wall() + 100.0)
    token = (await file_store(tmp_path, later, boot=boots[1]).load("one")).token
    assert token is not None
    assert token.received == Moment(-95.0, clock.wall())
    assert token.expires == Moment(pytest.approx(205.125), clock.wall() + 300.125)  # type: ignore[arg-type]


async def test_an_entry_without_a_token_is_kept_too(store: FileStore) -> None:
    for entry in (Entry(), Entry(generation=3, rejected=3), Entry(learned=2.0)):
        await put(store, entry)
        assert await store.load("one") == entry


async def test_a_change_is_heard_of_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    clock, heard = SystemClock(), asyncio.Event()
    one, other = file_store(tmp_path, clock), file_store(tmp_path, clock, inotify=True)
    stop = other.watch("one", heard.set)
    await put(one, Entry(generation=1))
    began = time.monotonic()
    await asyncio.wait_for(heard.wait(), 60)
    assert time.monotonic() - began < 0.1
    stop()


async def test_a_watched_directory_that_is_replaced_is_watched_on(
    store: FileStore, tmp_path: Path, clock: FakeClock
) -> None:
    heard = list[int]()
    stop = store.watch("one", lambda: heard.append(1))
    (tmp_path / "tokens").rename(tmp_path / "old")
    (tmp_path / "tokens").mkdir(0o700)
    async with asyncio.timeout(60):
        while not heard:
            await clock.advance(0.1)
            await asyncio.sleep(0.001)
    heard.clear()
    await put(file_store(tmp_path, clock), replace(full_entry(clock), generation=9))
    await clock.advance(0.1)
    await settle()
    assert heard
    stop()
    assert clock.timers == 0


async def test_a_lock_is_let_go_though_a_forked_process_has_its_descriptor(
    tmp_path: Path, clock: FakeClock
) -> None:
    store, other = file_store(tmp_path, clock), file_store(tmp_path, clock)
    async with store.lock("a"):
        inherited = os.dup(store._locked["a"] or 0)
    try:
        async with asyncio.timeout(60), other.lock("a"):
            pass
    finally:
        os.close(inherited)
