"""A real Redis: started with nothing on a disk, killed, stopped for a while, asked by redis-cli."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from proxy.clock import Clock
from proxy.config.model import RedisPlace, Tls
from proxy.secret import Secret
from proxy.stores.key import Key
from proxy.stores.redis.link import Link
from proxy.stores.redis.store import RedisStore
from proxy.stores.sealing import Seal
from tests.support.clock import FakeClock
from tests.support.process import free_port

PATIENCE = 10.0


class PatientClock(FakeClock):
    """Time passes in steps, each long enough for what travels over a socket to arrive."""

    async def advance(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / 0.1))):
            await super().advance(min(seconds, 0.1))
            await asyncio.sleep(0.003)


class RedisServer:
    """One server on a port of its own; or a Sentinel."""

    def __init__(self, directory: Path, *options: str, sentinel: bool = False) -> None:
        self.directory = directory
        self.port = free_port()
        self.options = ("--save", "", "--repl-diskless-sync-delay", "0", *options)
        if sentinel:
            (directory / "sentinel.conf").touch()
            self.options = (str(directory / "sentinel.conf"), "--sentinel")
        self.place = RedisPlace("tcp", (("127.0.0.1", self.port),))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                *("redis-server", *self.options, "--dir", str(self.directory)),
                *("--port", str(self.port), "--bind", "127.0.0.1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while self.ask("PING", check=False) not in ("PONG", "NOAUTH Authentication required."):
            assert self._process.poll() is None, "redis-server did not start"
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a crash does; what it had is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It takes connections and answers nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: str, check: bool = True) -> str:
        """What redis-cli prints."""
        done = subprocess.run(
            ["redis-cli", "-e", "-p", str(self.port), *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or not done.returncode, done
        return done.stdout.strip()


@contextmanager
def redis_server(directory: Path, *options: str, sentinel: bool = False) -> Iterator[RedisServer]:
    server = RedisServer(directory, *options, sentinel=sentinel)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def redis_store(
    place: RedisPlace,
    clock: Clock,
    *,
    key: Key,
    told: Callable[[str], None] = lambda _: None,
    tls: Tls | None = None,
    password: str | None = None,
) -> RedisStore:
    """A store as one more process would open it."""
    secret = None if password is None else Secret(password)
    return RedisStore(Link(place, tls or Tls(), secret), Seal(key), clock, Random(1), told)
