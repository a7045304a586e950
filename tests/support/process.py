"""The real program as a process: started with a configuration, asked over sockets, stopped.

Output goes to files, so that nothing blocks on a pipe; every wait is for a condition and has a
deadline.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

REPOSITORY = Path(__file__).resolve().parents[2]
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE = 1, 2, 10

PROGRAM = (sys.executable, "-P", "-m", "proxy")
"""As the installed command does, it does not look for modules in the working directory."""


PORTS = range(20_000, 32_000)
"""Below those that the kernel gives away by itself: until it is used, and while its server is
down, nobody else's server gets such a port and somebody's requests with it."""


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ones; asked for one by one they may repeat."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, 100 * count):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"{count} free ports are not to be had")


async def until(
    condition: Callable[[], Awaitable[bool]], *, deadline: float = 60.0, what: str = "the condition"
) -> None:
    """Ask ``condition`` over and over until it is true; TimeoutError after ``deadline`` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while not await condition():
        if loop.time() > end:
            raise TimeoutError(f"{what} did not come true within {deadline:g} s")
        await asyncio.sleep(0.02)


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment that holds nothing of the machine's but the way to programs."""
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONWARNINGS": "error",
        **(extra or {}),
    }


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command that ended by itself left."""

    code: int
    out: str
    err: str


def drop_powers() -> None:
    """Give up root's rights over files and ports for what is executed next (Linux)."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE):
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the capability can't be dropped")


async def command(
    *arguments: str,
    home: Path,
    environ: Mapping[str, str] | None = None,
    deadline: float = 60.0,
    powerless: bool = False,
) -> Finished:
    """Run ``token-sidecar ARGUMENTS`` in ``home`` to its end.

    ``powerless``: what other users may not do it may not do either, even if we are root.
    """
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=home,
        env=environment(home, environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=drop_powers if powerless else None,
    )
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of the control plane."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Sidecar:
    """A running ``token-sidecar run``."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path, admin: str | None) -> None:
        self.process = process
        self.home = home
        self._admin = admin

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    @property
    def out(self) -> str:
        """What it wrote to stdout so far."""
        return (self.home / "stdout").read_text()

    @property
    def err(self) -> str:
        """What it wrote to stderr so far."""
        return (self.home / "stderr").read_text()

    @property
    def own_socket(self) -> Path:
        """Its own Unix socket, once it is there."""
        return next((self.home / "runtime" / "token-sidecar").glob("*.sock"))

    async def ask(self, target: str, *, own: bool = False, method: str = "GET") -> Reply:
        """One request to the control plane, over TCP or its own Unix socket."""
        if own:
            connector: aiohttp.BaseConnector = aiohttp.UnixConnector(str(self.own_socket))
            base = "http://localhost"
        else:
            connector, base = aiohttp.TCPConnector(), f"http://{self._admin}"
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, base + target) as answer,
        ):
            return Reply(answer.status, dict(answer.headers), await answer.read())

    async def answers(self, target: str, status: int = 200) -> bool:
        """Whether the control plane gives this status now."""
        if self.process.returncode is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.err}")
        try:
            return (await self.ask(target)).status == status
        except aiohttp.ClientError:
            return False

    async def healthy(self, deadline: float = 60.0) -> None:
        """Wait until it answers at all."""
        await until(lambda: self.answers("/healthz"), deadline=deadline, what="/healthz 200")

    async def ready(self, deadline: float = 60.0) -> None:
        """Wait until every required credential has had a token."""
        await until(lambda: self.answers("/readyz"), deadline=deadline, what="/readyz 200")

    async def says(self, text: str, deadline: float = 60.0) -> None:
        """Wait until ``text`` stands in its stderr."""

        async def said() -> bool:
            return text in self.err

        await until(said, deadline=deadline, what=f"{text!r} in\n{self.err}\n")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def ended(self, deadline: float = 60.0) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(deadline):
            return await self.process.wait()

    async def stop(self, deadline: float = 60.0) -> int:
        """Ask it to end; the exit code."""
        self.send(signal.SIGTERM)
        return await self.ended(deadline)


@asynccontextmanager
async def running(
    config: str | Path,
    home: Path,
    *,
    admin: str | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    program: Sequence[str] = PROGRAM,
    pass_fds: Sequence[int] = (),
) -> AsyncIterator[Sidecar]:
    """``token-sidecar run`` with this configuration (text, or a file) until the block ends.

    Args:
        config: the file's text, written to ``home/config.yaml``, or a file's path.
        home: a directory of its own: HOME, working directory, output.
        admin: the control plane's ``host:port``, for ``ask``.
        environ: further environment variables.
        arguments: further arguments of ``run``.
        program: what is started instead of the command itself.
        pass_fds: descriptors that it inherits.
    """
    path = config if isinstance(config, Path) else home / "config.yaml"
    if isinstance(config, str):
        path.write_text(config)
    with (home / "stdout").open("wb") as out, (home / "stderr").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *program,
            "run",
            "--config",
            str(path),
            *arguments,
            cwd=home,
            env=environment(home, environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=pass_fds,
        )
    try:
        yield Sidecar(process, home, admin)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
