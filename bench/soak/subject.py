"""The soak's sidecar: a real ``token-sidecar run``, its configuration's variants, its figures."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

from bench.subject import PROGRAM, REPOSITORY, ask, free_ports, resident

AT_WORK = "the new configuration is at work"
REFUSED = "the old configuration stays"
ENDING = 40.0
"""Seconds from SIGTERM to the end: ``drain.grace`` and some more."""
BUSY = r"^token_sidecar_(?:requests_in_flight|connections) [1-9].*"
RELOAD = 15.0
"""Seconds that a reload may take."""

CONFIGURATION = """\
listen: [127.0.0.1:{listen}{more_listeners}]
admin: 127.0.0.1:{admin}
state_dir: {home}/state
limits: {{head_time: {head_time}s}}
workers: {workers}
providers:
  calm: &provider
    token_url: http://127.0.0.1:{calm}/token
  shaky:
    token_url: http://127.0.0.1:{shaky}/token
credentials:
  steady: {{provider: calm, client_id: steady, client_secret: {secret}, client_auth: post}}
  revoked: {{provider: calm, client_id: revoked, client_secret: {secret}, client_auth: post}}
  shaky: {{provider: shaky, client_id: shaky, client_secret: {secret}, client_auth: post}}
  changing:
    provider: calm
    client_id: changing
    client_secret: {secret}
    client_auth: post
    scope: version-{version}
routes:
  - {{path: /steady/, upstream: "http://127.0.0.1:{main}/at/steady/", credential: steady}}
  - {{path: /shaky/, upstream: "http://127.0.0.1:{main}/at/shaky/", credential: shaky}}
  - {{path: /revoked/, upstream: "http://127.0.0.1:{main}/at/revoked/", credential: revoked}}
  - {{path: /changing/, upstream: "http://127.0.0.1:{main}/at/changing/", credential: changing}}
  - {{path: /flaky/, upstream: "http://127.0.0.1:{flaky}/at/flaky/", credential: steady}}
  - {{path: /door/, upstream: "http://127.0.0.1:{door}/at/door/", credential: steady}}
  - path: /impatient/
    upstream: http://127.0.0.1:{main}/at/impatient/
    credential: steady
    timeouts: {{head: 1s, idle: 1s}}
{more_routes}"""
MORE_ROUTE = '  - {{path: /more/, upstream: "http://127.0.0.1:{main}/", credential: steady}}\n'
BROKEN = ("  - {{path: /a/../b/}}\n", "no_such_key: 1\n", "\t", "  - {{path: /steady/}}\n")


class Subject:
    """A running sidecar.

    Attributes:
        port: where it listens.
        versions: how many configurations it was given that it had to take.
    """

    def __init__(self, home: Path, ports: dict[str, int], workers: int) -> None:
        self._home = home
        self._workers = workers
        self._file = home / "config.yaml"
        self._ports = ports | dict(zip(("listen", "admin"), free_ports(2), strict=True))
        self._process: asyncio.subprocess.Process | None = None
        self.port = self._ports["listen"]
        self.versions = 0

    def write(self, more: str = "") -> None:
        """The configuration of this version."""
        version = self.versions
        text = CONFIGURATION + (MORE_ROUTE if version % 2 else "") * (not more) + more
        values: dict[str, object] = {
            "home": self._home,
            "secret": "{file: secret}",
            "version": version,
            "workers": self._workers,
            "head_time": 10 + version % 3,
            "more_listeners": f", 'unix:{self._home}/more.sock'" if version % 2 else "",
            "more_routes": "",
        }
        self._file.write_text(text.format(**(values | self._ports)))

    async def start(self) -> None:
        """Run it until it serves."""
        (self._home / "secret").write_text("a-secret")
        (self._home / "secret").chmod(0o600)
        self.write()
        with (self._home / "sidecar.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "run", "--config", str(self._file)),
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
            )
        await asyncio.to_thread(ask, self._ports["admin"], "/healthz", deadline=20)

    @property
    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pids(self) -> list[int]:
        """The process and its workers."""
        assert self._process is not None
        first = self._process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *map(int, children.split())]

    @property
    def memory(self) -> float:
        """Resident, in MiB; of several processes the sum."""
        return sum(resident(pid) for pid in self.pids)

    @property
    def peak(self) -> float:
        """The most that was resident, in MiB."""
        return sum(resident(pid, "VmHWM") for pid in self.pids)

    @property
    def descriptors(self) -> int:
        """How many are open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids)

    async def busy(self) -> str:
        """What its metrics call in flight or open, unless that is nothing."""
        url = f"http://127.0.0.1:{self._ports['admin']}/metrics"
        answer = await asyncio.to_thread(urllib.request.urlopen, url, timeout=10)
        return ", ".join(re.findall(BUSY, answer.read().decode(), re.MULTILINE))

    @property
    def log(self) -> str:
        """All that it said."""
        return (self._home / "sidecar.log").read_text(errors="replace")

    async def reload(self, broken: str = "") -> bool:
        """Give it the next version, or one that it must refuse; whether it did as it should."""
        assert self._process is not None
        self.versions += not broken
        self.write(broken)
        expected = REFUSED if broken else AT_WORK
        with (self._home / "sidecar.log").open("rb") as log:
            log.seek(0, 2)
            self._process.send_signal(signal.SIGHUP)
            seen, end = b"", time.monotonic() + RELOAD
            while expected.encode() not in seen and time.monotonic() < end:
                await asyncio.sleep(0.05)
                seen = seen[-200:] + log.read()
        return expected.encode() in seen

    async def end(self) -> int:
        """Ask it to end; the exit code, -9 where it had to be killed."""
        assert self._process is not None
        if not self.alive:
            return await self._process.wait()
        self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                return await self._process.wait()
        self._process.kill()
        return await self._process.wait()


@contextlib.asynccontextmanager
async def subject(home: Path, ports: dict[str, int], workers: int) -> AsyncIterator[Subject]:
    """A sidecar that serves; killed afterwards if it still runs."""
    made = Subject(home, ports, workers)
    try:
        await made.start()
        yield made
    finally:
        if made.alive:
            await made.end()
