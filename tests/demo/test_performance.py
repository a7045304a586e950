"""The whole demonstration as a person starts it, in short: every process real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from proxy.demo import main
from proxy.demo.calls import CallError, call
from tests.support.process import REPOSITORY, environment

TOGETHER = 60.0
"""Seconds that a performance may take, however busy the machine is."""


def source(keep: bool = False, seconds: float = 9.0, lifetime: int = 3, first: str = "") -> str:
    called = f"main(keep={keep}, seconds={seconds}, lifetime={lifetime})"
    return f"import sys\n{first}\nfrom proxy.demo import main\nsys.exit({called})"


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short enough for a Unix socket in it."""
    with TemporaryDirectory(prefix="home-") as directory:
        yield Path(directory)


@contextmanager
def performance(home: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    """The demonstration as a process, its temporary files below ``home``/tmp."""
    temporary = home / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        (sys.executable, "-c", program),
        env=environment(home, {"TMPDIR": str(temporary)}),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> str:
    """What it printed, up to the line with these words."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"{words!r} was never said, but:\n{said}")


def the_rest(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=TOGETHER)[0]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def nothing_is_left(home: Path, said: str) -> bool:
    """No file, no sidecar, nobody at the addresses that were told."""
    pid = int(re.search(r"process (\d+), ready", said)[1])
    addresses = set(re.findall(r"http://127\.0\.0\.1:\d+", said))
    assert len(addresses) >= 3, said
    for address in addresses:
        with pytest.raises(CallError):
            call("GET", f"{address}/")
    return gone(pid) and list((home / "tmp").iterdir()) == []


def test_a_short_performance_keeps_every_promise_and_leaves_nothing_behind(home):
    began = time.monotonic()
    with performance(home, source()) as process:
        said = the_rest(process)
    assert process.returncode == 0, said
    assert time.monotonic() - began < TOGETHER
    assert said.count(" 401\n") == 4, said
    assert re.search(r"(\d+) requests, \1 x 200, 0 x 401\.", said), said
    assert "client_secret: {env: DEMO_CLIENT_SECRET}" in said
    assert said.isascii()
    assert "\x1b" not in said
    assert max(len(line) for line in said.splitlines() if "/tmp" not in line) <= 80
    assert nothing_is_left(home, said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_ends_everything_in_order(home, number):
    with performance(home, source(seconds=60.0)) as process:
        said = until(process, "4. The same program")
        process.send_signal(number)
        said += the_rest(process)
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert nothing_is_left(home, said)


def test_kept_it_can_be_tried_by_hand_until_ctrl_c(home):
    with performance(home, source(keep=True)) as process:
        said = until(process, "Ctrl-C")
        address = re.search(r"curl (http://\S+/ccfraud)", said)[1]
        (record,) = (home / "tmp").glob("*/record.json")
        assert call("POST", address, record.read_bytes())[0] == 200
        process.send_signal(signal.SIGINT)
        said += the_rest(process)
    assert process.returncode == 0, said
    assert nothing_is_left(home, said)


def test_a_sidecar_that_dies_on_the_way_is_told_and_fails(home):
    with performance(home, source(seconds=60.0)) as process:
        said = until(process, "4. The same program")
        os.kill(int(re.search(r"process (\d+), ready", said)[1]), signal.SIGKILL)
        said += the_rest(process)
    assert process.returncode == 1, said
    assert "the sidecar ended with code -9" in said
    assert nothing_is_left(home, said)


def test_a_sidecar_that_never_gets_a_token_is_told_with_its_last_words(home):
    impatient = "import proxy.demo.scenes as scenes; scenes.PATIENCE = 3.0"
    with performance(home, source(lifetime=0, first=impatient)) as process:
        said = the_rest(process)
    assert process.returncode == 1, said
    assert "the sidecar was not ready in 3 s. Its last words:" in said
    assert "Traceback" not in said


def test_without_pyarrow_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(keep=False) == 1
    assert "pip install 'token-sidecar[demo]'" in capsys.readouterr().err
