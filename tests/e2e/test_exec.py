"""A program that was given tokens, or a sidecar of its own, as a process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Scene
from tests.e2e.test_commands import FILE, MEMORY, SECRETS, Commands
from tests.support.identity_provider import Reply
from tests.support.process import PROGRAM, environment, running, until

SHELL = ("--", "sh", "-c")
WAITING = """
import os, signal
numbers = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready", os.getpid(), flush=True)
while True:
    number = signal.sigwait(numbers)
    print("got", signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        raise SystemExit(5)
"""


@asynccontextmanager
async def started(
    scene: Scene, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL, terminal: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``token-sidecar ARGUMENTS`` while the block runs; ``terminal``: stdin is one, and its own."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=scene.home,
        env=environment(scene.home, {**SECRETS, "TOKEN_SIDECAR_CONFIG": "config.yaml"}),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: as_at_a_terminal(terminal),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the program too, where it is a child
        await process.communicate()


def as_at_a_terminal(terminal: bool) -> None:
    """What a test run under nohup ignores, a program under test does not."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode()


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(60):
        return await process.wait()


async def test_the_token_is_in_the_environment_under_the_names_that_were_told(
    scene: Scene,
) -> None:
    run = Commands(scene, FILE)
    show = (*SHELL, 'echo "$TOKEN_SIDECAR_TOKEN/$TOKEN_API/$X"')
    assert (await run("exec", "api", *show)).out == "token-1/token-1/\n"
    assert (await run("exec", "api", "--env", "X", *show)).out == "//token-1\n"
    assert (await run("exec", "api=X", *show)).out == "//token-1\n"
    assert scene.provider.asked == 1


@pytest.mark.parametrize("private", [(), ("--proxy",)])
async def test_the_exit_code_is_the_programs(scene: Scene, private: tuple[str, ...]) -> None:
    run = Commands(scene, FILE)
    for script, code in [("exit 7", 7), ("exit 0", 0), ("nonesuch 2>&-", 127)]:
        assert (await run("exec", *private, "api", *SHELL, script)).code == code
    assert (await run("exec", *private, "api", "--", "nonesuch")).code == 127
    (scene.home / "no-program").write_text("nothing to run")
    done = await run("exec", *private, "api", "--", "./no-program")
    assert (done.code, done.out) == (126, "")
    assert "./no-program can't be run" in done.err
    killed = (await run("exec", *private, "api", *SHELL, "kill -KILL $$")).code
    assert killed == (128 + 9 if private else -9)  # a shell says 137 of both


async def test_the_commands_own_failures_come_before(scene: Scene) -> None:
    scene.provider.otherwise = Reply(401, {"error": "invalid_client"})
    run = Commands(scene, MEMORY)
    done = await run("exec", "api", *SHELL, "echo ran")
    assert (done.code, done.out) == (3, "")
    for wrong in (["exec"], ["exec", "api"], ["exec", *SHELL, "true"], ["exec", "a=1", "--", "x"]):
        assert (await run(*wrong)).code == 2
    assert (await run("exec", "--proxy", "apo", "--", "true")).code == 2


async def test_what_is_typed_goes_to_the_program(scene: Scene) -> None:
    Commands(scene, FILE)
    for private in ((), ("--proxy",)):
        arguments = ("exec", *private, "api", "--", "cat")
        async with started(scene, *arguments, stdin=asyncio.subprocess.PIPE) as process:
            out, _ = await asyncio.wait_for(process.communicate(b"typed"), 60)
        assert out == b"typed"


async def test_it_takes_our_place_and_so_our_signals(scene: Scene) -> None:
    Commands(scene, FILE)
    async with started(scene, "exec", "api", "--", sys.executable, "-c", WAITING) as process:
        assert await line(process) == f"ready {process.pid}\n"
        process.send_signal(signal.SIGUSR1)
        assert await line(process) == "got SIGUSR1\n"
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 5


async def test_signals_are_passed_on_to_a_program_beside_its_sidecar(scene: Scene) -> None:
    Commands(scene, FILE)
    arguments = ("exec", "--proxy", "api", "--", sys.executable, "-c", WAITING)
    async with started(scene, *arguments) as process:
        ready = await line(process)
        assert ready.startswith("ready ")
        assert ready != f"ready {process.pid}\n"
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
            assert await line(process) == f"got {number.name}\n"
        assert await ended(process) == 5


async def test_ctrl_c_reaches_it_once(scene: Scene) -> None:
    Commands(scene, FILE)
    arguments = ("exec", "--proxy", "api", "--", sys.executable, "-c", WAITING)
    ours, theirs = pty.openpty()
    try:
        async with started(scene, *arguments, stdin=theirs, terminal=True) as process:
            assert (await line(process)).startswith("ready ")
            os.write(ours, b"\x03")
            assert await line(process) == "got SIGINT\n"
            process.send_signal(signal.SIGTERM)
            assert await line(process) == "got SIGTERM\n"
            assert await ended(process) == 5
    finally:
        os.close(ours)
        os.close(theirs)


async def test_its_own_sidecar_serves_it_and_nobody_else(scene: Scene) -> None:
    run = Commands(scene, FILE)
    script = """
curl --silent "$TOKEN_SIDECAR_URL/api/x" --output /dev/null --write-out '%{http_code} '
curl --silent "${TOKEN_SIDECAR_URL_API}x" --output /dev/null --write-out '%{http_code} '
curl --silent "$TOKEN_SIDECAR_ORIGIN/api/x" --output /dev/null --write-out '%{http_code} '
curl --silent --oauth2-bearer "$TOKEN_SIDECAR_KEY" "$TOKEN_SIDECAR_ORIGIN/api/x" \
  --output /dev/null --write-out '%{http_code} '
echo "${TOKEN_SIDECAR_TOKEN-none}"
"""
    done = await run("exec", "--proxy", "api", *SHELL, script)
    assert (done.code, done.out, done.err) == (0, "200 200 403 200 none\n", "")
    assert {one.all("Authorization")[0] for one in scene.upstream.seen} == {"Bearer token-1"}


async def test_beside_a_sidecar_that_runs_it_has_a_port_and_no_socket_of_its_own(
    scene: Scene,
) -> None:
    run = Commands(scene, FILE)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        before = sockets(scene)
        script = (
            'ls "$XDG_RUNTIME_DIR/token-sidecar"; curl -sf "$TOKEN_SIDECAR_URL/api/x" >/dev/null'
        )
        done = await run("exec", "--proxy", "api", *SHELL, script)
        assert (done.code, done.out.split()) == (0, before)
        assert (await run("token", "api")).out == "token-1\n"
        assert sockets(scene) == before
    assert scene.provider.asked == 1


def sockets(scene: Scene) -> list[str]:
    return [one.name for one in (scene.home / "runtime" / "token-sidecar").iterdir()]


async def test_no_other_process_has_the_token_where_it_shows(scene: Scene) -> None:
    canary = "canary-in-the-environment"
    scene.provider.extra["access_token"] = canary
    Commands(scene, FILE)
    async with started(scene, "exec", "api", "--", sys.executable, "-c", WAITING) as process:
        assert (await line(process)).startswith("ready ")
        assert shown(canary) == [f"/proc/{process.pid}/environ"]


async def test_with_a_sidecar_of_its_own_nobody_has_it_where_it_shows(scene: Scene) -> None:
    canary = "canary-in-the-environment"
    scene.provider.extra["access_token"] = canary
    Commands(scene, FILE)
    arguments = ("exec", "--proxy", "api", "--", sys.executable, "-c", WAITING)
    async with started(scene, *arguments) as process:
        assert (await line(process)).startswith("ready ")

        async def had() -> bool:
            return scene.provider.asked == 1

        await until(had)
        assert shown(canary) == []


async def test_no_core_is_dumped_of_what_holds_a_token(scene: Scene) -> None:
    scene.provider.script.append(Reply(hang=True))
    Commands(scene, FILE)
    async with started(scene, "token", "api") as process:

        async def asked() -> bool:
            return scene.provider.asked == 1

        await until(asked)
        assert core_limit(process.pid) == ["0", "0"]
    async with started(scene, "exec", "api", "--", sys.executable, "-c", WAITING) as process:
        assert (await line(process)).startswith("ready ")
        assert core_limit(process.pid) == ["0", "0"]


def core_limit(pid: int) -> list[str]:
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (found,) = [one for one in limits if one.startswith("Max core file size")]
    return found.split()[4:6]


def shown(secret: str) -> list[str]:
    """Where among all processes' environments and arguments it stands."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                if secret.encode() in (process / name).read_bytes():
                    found.append(str(process / name))
            except OSError:
                continue
    return found
