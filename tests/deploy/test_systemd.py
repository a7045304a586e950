"""The units: what systemd itself says of them, and the sidecar under the filter that they set."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.deploy.units import BY_PIPX, INSTALLED, UNITS, analyzed, calls, parsed
from tests.e2e.conftest import ENVIRON, Scene, home, scene
from tests.support import confined
from tests.support.process import PROGRAM, REPOSITORY, running

SERVICE, SOCKET = UNITS / "token-sidecar.service", UNITS / "token-sidecar.socket"
OF_A_USER = UNITS / "user/token-sidecar.service"
PAGE = REPOSITORY / "docs/services.md"
MOST = 20
"""Tenths: the exposure that is allowed."""
FORBIDDEN = """
import mmap, os, socket
def refused(act):
    try:
        act()
    except PermissionError:
        return
    raise SystemExit(f"allowed: {act}")
refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | 4))
refused(lambda: os.sched_setaffinity(0, {0}))
refused(lambda: os.chroot("/"))
refused(lambda: os.setuid(1))
socket.socket(socket.AF_INET6).close()
"""

__all__ = ["home", "scene"]  # fixtures


@pytest.fixture
def workers() -> int:
    return 2


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """The units where their programs are there; systemd-analyze looks."""
    program = tmp_path / "token-sidecar"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in (SERVICE, SOCKET, OF_A_USER):
        text = unit.read_text().replace(INSTALLED, str(program)).replace(BY_PIPX, str(program))
        (tmp_path / unit.parent.name).mkdir(exist_ok=True)
        (tmp_path / unit.parent.name / unit.name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("directory", "units", "mode"),
    [
        ("systemd", ("token-sidecar.service", "token-sidecar.socket"), "--system"),
        ("user", ("token-sidecar.service",), "--user"),
    ],
)
def test_systemd_finds_nothing_wrong(
    placed: Path, directory: str, units: tuple[str, ...], mode: str
) -> None:
    arguments = (mode, "verify", *(f"./{unit}" for unit in units))
    said = analyzed(*arguments, in_=placed / directory)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_systemd_would_find_what_is_wrong(placed: Path) -> None:
    unit = placed / "systemd" / "token-sidecar.service"
    unit.write_text(unit.read_text().replace("ProtectClock=", "ProtectClocks="))
    said = analyzed("verify", "./token-sidecar.service", in_=unit.parent)
    assert "'ProtectClocks'" in said.stderr


def test_the_service_is_exposed_as_little_as_the_page_says(placed: Path) -> None:
    said = analyzed(
        "security", "--offline=true", f"--threshold={MOST}", "./token-sidecar.service",
        in_=placed / "systemd",
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
    found = re.search(r"exposure level for token-sidecar.service: (\d+\.\d)", said.stdout)
    assert found is not None
    version = analyzed("--version").stdout.split()[1]
    page = PAGE.read_text()
    # Another version of systemd counts in another way: there only the bound holds.
    assert f"(systemd {version})" not in page or f"exposure level {found[1]} of" in page


def test_a_filter_would_not_be_taken_for_one_that_is_missing() -> None:
    allowed = calls(parsed(SERVICE)["Service"]["SystemCallFilter"])
    assert {"epoll_wait", "prlimit64", "recvmsg", "execve"} <= allowed
    assert not {"mount", "ptrace", "setuid", "sched_setaffinity", "reboot", "bpf"} & allowed


@pytest.fixture
def confinement() -> tuple[str, ...]:
    service = parsed(SERVICE)["Service"]
    orders = {
        "calls": sorted(calls(service["SystemCallFilter"])),
        "families": " ".join(service["RestrictAddressFamilies"]).split(),
    }
    assert service["MemoryDenyWriteExecute"] == ["yes"]
    return (sys.executable, "-P", confined.__file__, json.dumps(orders))


def test_what_the_filter_forbids_is_forbidden(confinement: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*confinement, sys.executable, "-c", FORBIDDEN], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


async def test_the_sidecar_does_all_its_work_under_that_filter(
    scene: Scene, confinement: tuple[str, ...]
) -> None:
    config = scene.config("store: file")
    async with (
        running(
            config, scene.home, admin=scene.admin, environ=ENVIRON, program=(*confinement, *PROGRAM)
        ) as sidecar,
        aiohttp.ClientSession() as client,
    ):
        await scene.at_work(sidecar)
        for number in range(8):
            async with client.post(scene.url + f"/api/{number}", data=b"x" * 100_000) as answer:
                assert answer.status == 200
        assert "token_sidecar_requests_total" in (await sidecar.ask("/metrics")).text
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        assert await sidecar.stop() == 0
        assert "ermi" not in sidecar.err  # permission, permitted
        assert "Traceback" not in sidecar.err
