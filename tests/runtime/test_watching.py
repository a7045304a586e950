from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.runtime.watching import INTERVAL, FileWatch, stamp
from tests.support.clock import FakeClock


class Watch:
    """A file watch with a clock of its own, and a list of what it told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.files = FileWatch(self.clock)
        self.told: list[str] = []

    def on(self, path: Path) -> Callable[[], None]:
        return self.files.watch(path, lambda: self.told.append(path.name))

    async def looks(self, count: int) -> list[str]:
        await self.clock.advance(count * INTERVAL)
        told, self.told = self.told, []
        return told


@pytest.fixture
async def watch() -> Watch:
    return Watch()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("one")
    return path


def in_place(path: Path, text: str = "another") -> None:
    path.write_text(text)


def renamed_over(path: Path) -> None:
    new = path.with_suffix(".new")
    new.write_text("two")
    before = path.stat()
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(path)


def removed(path: Path) -> None:
    path.unlink()


def made_unreadable(path: Path) -> None:
    path.chmod(0)


@pytest.mark.parametrize("change", [in_place, renamed_over, removed, made_unreadable])
async def test_a_change_is_told_once(
    watch: Watch, file: Path, change: Callable[[Path], None]
) -> None:
    watch.on(file)
    watch.files.start()
    assert await watch.looks(3) == []
    change(file)
    assert await watch.looks(2) == ["config.yaml"]
    assert await watch.looks(5) == []


async def test_a_file_that_comes_back_is_told(watch: Watch, file: Path) -> None:
    removed(file)
    watch.on(file)
    watch.files.start()
    assert await watch.looks(3) == []
    in_place(file)
    assert await watch.looks(2) == ["config.yaml"]


async def test_kubernetes_swap_of_the_link_to_the_directory_is_told(
    watch: Watch, tmp_path: Path
) -> None:
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("same length")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "config.yaml").symlink_to("..data/config.yaml")
    watch.on(tmp_path / "config.yaml")
    watch.files.start()
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    assert await watch.looks(2) == ["config.yaml"]


async def test_a_file_is_left_alone_while_it_is_being_written(watch: Watch, file: Path) -> None:
    watch.on(file)
    watch.files.start()
    for length in range(1, 6):
        in_place(file, "x" * 10 * length)
        assert await watch.looks(1) == []
    assert await watch.looks(1) == ["config.yaml"]


async def test_what_changed_since_it_was_read_is_told(watch: Watch, file: Path) -> None:
    read = stamp(file)
    in_place(file)
    watch.files.watch(file, lambda: watch.told.append("late"), since=read)
    watch.files.start()
    assert await watch.looks(2) == ["late"]
    assert await watch.looks(2) == []


async def test_whoever_ends_a_watch_hears_no_more_and_others_do(watch: Watch, file: Path) -> None:
    end = watch.files.watch(file, lambda: watch.told.append("ended"))
    watch.on(file)
    watch.files.start()
    in_place(file)
    await watch.looks(1)
    end()
    end()
    assert await watch.looks(2) == ["config.yaml"]


async def test_a_watch_that_another_one_ends_meanwhile_is_silent(watch: Watch, file: Path) -> None:
    ends: list[Callable[[], None]] = []

    def first() -> None:
        watch.told.append("first")
        ends[0]()

    watch.files.watch(file, first)
    ends.append(watch.on(file))
    watch.files.start()
    in_place(file)
    assert await watch.looks(4) == ["first"]


async def test_a_callback_that_fails_does_not_end_the_watch_of_others(
    watch: Watch, file: Path
) -> None:
    def fails() -> None:
        raise RuntimeError

    watch.files.watch(file, fails)
    watch.on(file)
    watch.files.start()
    in_place(file)
    with pytest.raises(RuntimeError):
        await watch.looks(2)
    assert await watch.looks(2) == ["config.yaml"]


async def test_nothing_is_looked_at_before_the_start_or_after_the_end(
    watch: Watch, file: Path
) -> None:
    watch.on(file)
    in_place(file)
    assert await watch.looks(3) == []
    watch.files.start()
    watch.files.start()
    assert watch.clock.timers == 1
    watch.files.close()
    watch.files.close()
    assert await watch.looks(3) == []
    assert watch.clock.timers == 0
