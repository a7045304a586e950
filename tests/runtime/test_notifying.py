from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.control.snapshot import Reloads, Snapshot
from proxy.runtime.notifying import Notifier, status_of, take_notifier
from tests.control.conftest import snapshot
from tests.support.clock import FakeClock

PID = 7


class Manager:
    """Hears what it is told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.heard: list[str] = []
        self.now = snapshot()

    def notifier(self, watchdog: float | None = None) -> Notifier:
        return Notifier(lambda datagram: self.heard.append(datagram.decode()), self.clock, watchdog)

    def read(self) -> Snapshot:
        return self.now

    async def after(self, seconds: float) -> list[str]:
        """What it hears in this time."""
        self.heard.clear()
        await self.clock.advance(seconds)
        return self.heard


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sidecar-") as directory:
        yield Path(directory) / "notify"


@pytest.mark.parametrize("abstract", [False, True])
def test_it_is_told_at_the_place_that_it_named_once(place: Path, abstract: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5)
        listening.bind(f"\0{place}" if abstract else str(place))
        environ = {"NOTIFY_SOCKET": f"@{place}" if abstract else str(place), "HOME": "/"}
        notifier = take_notifier(environ, PID, FakeClock())
        assert notifier is not None
        notifier.stopping(5)
        assert listening.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000"
    assert environ == {"HOME": "/"}
    assert take_notifier(environ, PID, FakeClock()) is None


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative"])
def test_a_place_that_is_none_is_nobody(address: str) -> None:
    assert take_notifier({"NOTIFY_SOCKET": address}, PID, FakeClock()) is None


def test_a_manager_that_has_gone_changes_nothing(place: Path) -> None:
    notifier = take_notifier({"NOTIFY_SOCKET": str(place)}, PID, FakeClock())
    assert notifier is not None
    notifier.stopping(1)


async def test_it_hears_that_we_listen_and_then_only_what_changes(manager: Manager) -> None:
    manager.now = waiting = replace(
        snapshot(), credentials=(replace(snapshot().credentials[0], ready=False),)
    )
    manager.notifier().ready(manager.read)
    assert manager.heard == ["READY=1\nSTATUS=waiting for a first token: inference"]
    assert await manager.after(10) == []
    manager.now = snapshot()
    assert await manager.after(10) == ["STATUS=ready"]
    manager.now = waiting
    assert await manager.after(1) == ["STATUS=waiting for a first token: inference"]


async def test_a_reload_begins_at_a_moment_and_ends_ready(manager: Manager) -> None:
    notifier = manager.notifier()
    notifier.reloading(True)
    assert manager.heard == []  # before the start is told there is nothing to tell
    notifier.ready(manager.read)
    manager.heard.clear()
    notifier.reloading(True)
    notifier.reloading(False)
    assert manager.heard == ["RELOADING=1\nMONOTONIC_USEC=1000000000", "READY=1"]


async def test_signs_of_life_come_twice_as_often_as_they_must(manager: Manager) -> None:
    manager.notifier(watchdog=20.0).ready(manager.read)
    assert manager.heard == ["READY=1\nSTATUS=ready\nWATCHDOG=1"]
    assert await manager.after(9) == []
    assert await manager.after(91) == ["WATCHDOG=1"] * 10


@pytest.mark.parametrize("watchdog", [0.2, 1.0, 3.0, 7.0, 30.0])
async def test_no_two_signs_of_life_are_too_far_apart(manager: Manager, watchdog: float) -> None:
    manager.notifier(watchdog).ready(manager.read)
    for _ in range(5):
        assert "WATCHDOG=1" in await manager.after(watchdog * 0.8)


async def test_without_any_worker_there_is_no_sign_of_life(manager: Manager) -> None:
    manager.now = snapshot(serving=False)
    manager.notifier(watchdog=2.0).ready(manager.read)
    assert manager.heard == ["READY=1\nSTATUS=no worker serves"]
    assert await manager.after(10) == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"WATCHDOG_USEC": "2000000"}, 2.0),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(PID)}, 2.0),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_or_none(said: dict[str, str], seconds: float | None) -> None:
    environ = {"NOTIFY_SOCKET": "@nobody", **said}
    notifier = take_notifier(environ, PID, FakeClock())
    assert notifier is not None
    assert notifier._watchdog == seconds
    assert environ == {}


def test_the_status_is_one_line_for_people() -> None:
    assert status_of(snapshot(draining=True)) == "draining, 1 requests under way"
    refused = snapshot(reloads=Reloads(applied=1, refused=1, last_ok=False))
    assert status_of(refused).startswith("ready; the last reload was refused")


async def test_closed_it_is_silent(manager: Manager) -> None:
    notifier = manager.notifier(watchdog=2.0)
    notifier.ready(manager.read)
    notifier.close()
    assert await manager.after(10) == []
