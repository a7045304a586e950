from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import PlainSecret
from proxy.errors import ConfigurationError
from proxy.runtime import reader as reading
from proxy.runtime.reader import LINGER, MOST, Reader, ReadingError
from tests.support.clock import FakeClock
from tests.support.process import until

FILE = """\
credentials:
  api: {token_url: "https://provider.example.com/token", client_id: x, client_secret: in-the-file}
routes:
  - {path: /, upstream: "http://127.0.0.1:9/", credential: api}
"""


class Case:
    def __init__(self, home: Path) -> None:
        self.path = home / "c.yaml"
        self.path.write_text(FILE)
        self.environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.clock = FakeClock()
        self.reader = Reader(self.environ, self.clock)

    @property
    def pid(self) -> int | None:
        """Of the process that reads."""
        child = self.reader._child
        return None if child is None else child.pid

    async def asked(self, times: int) -> None:
        """Wait until the process has been asked so often."""

        async def is_asked() -> bool:
            return self.reader._asked == times

        await until(is_asked, what="the question")


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    found = Case(tmp_path)
    yield found
    await found.reader.close()


def alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


async def gone(pid: int | None) -> None:
    async def is_gone() -> bool:
        return not alive(pid)

    await until(is_gone, what="the end of the process")


async def test_what_it_reads_is_what_this_process_would(case: Case) -> None:
    told = await case.reader.read(case.path)
    assert told == load(case.path, case.environ)
    secret = told.credentials["api"].client_secret
    assert isinstance(secret, PlainSecret)
    assert secret.value.reveal() == "in-the-file"


async def test_mistakes_are_raised_here_and_end_nothing(case: Case) -> None:
    case.path.write_text("lisen: x\nhold: soon\n")
    with pytest.raises(ConfigurationError) as told:
        await case.reader.read(case.path)
    assert {one.file for one in told.value.problems} == {str(case.path)}
    before = case.pid
    case.path.write_text(FILE)
    assert (await case.reader.read(case.path)).path == case.path
    assert case.pid == before


async def test_a_text_is_read_as_if_it_stood_in_the_file_under_a_name_of_its_own(
    case: Case,
) -> None:
    told = await case.reader.read(case.path, "new.yaml", FILE + "state_dir: here\n")
    assert told.path == case.path
    assert told.state_dir == case.path.parent / "here"
    with pytest.raises(ConfigurationError) as problems:
        await case.reader.read(case.path, "new.yaml", "lisen: x\n")
    assert {one.file for one in problems.value.problems} == {"new.yaml"}
    with pytest.raises(ConfigurationError, match=r"new.yaml:1:1: the file is larger"):
        await case.reader.read(case.path, "new.yaml", "#" * (1 << 20) + "\n")


async def test_many_readings_share_a_process_which_then_is_gone(case: Case) -> None:
    await case.reader.read(case.path)
    first = case.pid
    await case.clock.advance(LINGER - 1)
    await asyncio.gather(*(case.reader.read(case.path) for _ in range(5)))
    assert case.pid == first
    await case.clock.advance(LINGER - 0.1)
    assert alive(first)
    await case.clock.advance(0.2)
    await gone(first)
    assert case.clock.timers == 0
    await case.reader.read(case.path)
    assert case.pid != first


async def test_a_fresh_process_takes_over_after_many_readings(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST > 1
    monkeypatch.setattr(reading, "MOST", 3)
    seen = []
    for _ in range(7):
        await case.reader.read(case.path)
        seen.append(case.pid)
    assert seen[2] is None
    assert len(set(seen) - {None}) == 3


async def test_a_process_that_died_is_replaced_unseen(case: Case) -> None:
    await case.reader.read(case.path)
    assert case.pid is not None
    os.kill(case.pid, signal.SIGKILL)
    assert (await case.reader.read(case.path)).path == case.path


async def test_processes_that_keep_dying_are_told_of(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ReadingError, match="ended; try again"):
        await case.reader.read(case.path)
    assert case.pid is None


async def test_one_that_does_not_answer_is_ended(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    await case.reader.read(case.path)
    pid = case.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(reading, "PATIENCE", 0.2)
    with pytest.raises(ReadingError, match="longer than"):
        await case.reader.read(case.path)
    await gone(pid)


async def test_where_no_process_can_be_started_it_is_read_here(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert (await case.reader.read(case.path)).path == case.path


async def test_whoever_no_longer_waits_leaves_nothing_half_read(case: Case) -> None:
    await case.reader.read(case.path)
    pid = case.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(case.reader.read(case.path))
    await case.asked(2)
    asking.cancel()
    await asyncio.wait([asking])
    await gone(pid)
    assert (await case.reader.read(case.path)).path == case.path


async def test_its_end_does_not_wait_for_a_reading(case: Case) -> None:
    await case.reader.read(case.path)
    pid = case.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(case.reader.read(case.path))
    await case.asked(2)
    async with asyncio.timeout(60):
        await case.reader.close()
        with pytest.raises(ReadingError):
            await asking
    await gone(pid)
    with pytest.raises(ReadingError):
        await case.reader.read(case.path)


async def test_nothing_secret_is_on_its_command_line_and_it_can_not_be_dumped(case: Case) -> None:
    await case.reader.read(case.path)
    process = Path("/proc") / str(case.pid)
    assert b"in-the-file" not in (process / "cmdline").read_bytes()
    core = next(line for line in (process / "limits").read_text().splitlines() if "core" in line)
    assert core.split()[4:6] == ["0", "0"]
