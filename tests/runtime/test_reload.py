from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.config.model import Config
from proxy.errors import StartError
from proxy.runtime.log import Log
from proxy.runtime.reload import Reloader

GOOD = """\
credentials:
  api: {token_url: "https://provider.example.com/token", client_id: x, client_secret: {env: S}}
routes: [{path: /, upstream: "http://127.0.0.1:9/", credential: api}]
"""


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Worker:
    """Is given configurations; can refuse them, or be slow."""

    def __init__(self) -> None:
        self.given: list[Config] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()
        self.twice = asyncio.Event()
        self.busy = self.busiest = 0

    async def put_to_work(self, config: Config) -> None:
        self.began.set()
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.gate.wait()
        self.busy -= 1
        if self.error is not None:
            raise self.error
        self.given.append(config)
        if len(self.given) > 1:
            self.twice.set()


async def reloaded(path: Path, worker: Worker, times: int = 1) -> str:
    stream = io.StringIO()
    reloader = Reloader(path, {"HOME": "/"}, worker.put_to_work, Log(stream))
    for _ in range(times):
        reloader.soon()
    await reloader.close()
    return stream.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    return path


async def test_a_good_configuration_is_put_to_work(file: Path) -> None:
    worker = Worker()
    assert "the new configuration is at work" in await reloaded(file, worker)
    assert [config.path for config in worker.given] == [file]


@pytest.fixture
def spoiled(file: Path) -> Path:
    file.write_text(GOOD + "hold: soon\nlisen: x\n")
    return file


async def test_every_mistake_of_a_bad_one_is_told_and_it_is_not_put_to_work(spoiled: Path) -> None:
    worker = Worker()
    lines = (await reloaded(spoiled, worker)).splitlines()
    assert len(lines) == 2
    assert all("reload_refused" in line and "the old configuration stays" in line for line in lines)
    assert worker.given == []


@pytest.mark.parametrize(
    ("error", "told"),
    [(StartError("listen: in use"), "listen: in use"), (KeyError("canary"), "exception=KeyError")],
)
async def test_what_can_not_be_put_to_work_is_told_in_one_line(
    file: Path, error: Exception, told: str
) -> None:
    worker = Worker()
    worker.error = error
    said = await reloaded(file, worker)
    assert told in said
    assert said.count("\n") == 1
    assert "canary" not in said


async def test_reloads_asked_for_meanwhile_are_one_more_and_never_two_at_once(file: Path) -> None:
    worker, stream = Worker(), io.StringIO()
    reloader = Reloader(file, {"HOME": "/"}, worker.put_to_work, Log(stream))
    worker.gate.clear()
    reloader.soon()
    async with asyncio.timeout(60):
        await worker.began.wait()
        for _ in range(5):
            reloader.soon()
        worker.gate.set()
        await worker.twice.wait()
        await reloader.close()
    assert len(worker.given) == 2
    assert worker.busiest == 1
