"""What a program pays for importing the client, and for asking a sidecar: next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.process import REPOSITORY

OURS = ["aiohttp", "anyio", "authlib", "click", "cryptography", "httptools", "httpx"]
OURS += [
    "joserfc",
    "keyring",
    "prometheus_client",
    "pydantic",
    "requests",
    "rich",
    "segno",
    "uvloop",
]
OURS += ["yaml", "yarl"]
PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
"""


def finished(program: str, absent: list[str]) -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]}
    arguments = [sys.executable, "-c", PROGRAM.format(absent=absent) + program]
    return subprocess.run(arguments, env=environ, capture_output=True, text=True, check=False)


def test_a_sidecar_is_asked_with_nothing_but_the_standard_library() -> None:
    program = """
from proxy.client import TokenSource
from proxy.client.running import NobodyThereError
try:
    TokenSource("api", url="unix:/nowhere/own.sock").token()
except NobodyThereError:
    print("asked")
assert not [name for name in sys.modules if name.startswith(("proxy.plane", "proxy.control"))]
"""
    done = finished(program, OURS)
    assert (done.stdout, done.stderr) == ("asked\n", "")


@pytest.mark.parametrize(
    ("module", "needs"),
    [("httpx", ["httpx", "anyio"]), ("requests", ["requests"]), ("aiohttp", ["aiohttp", "yarl"])],
)
def test_each_integration_needs_its_own_library_alone(module: str, needs: list[str]) -> None:
    # requests itself looks for cryptography, and httpx for click and rich, to do without.
    absent = sorted(set(OURS) - {*needs, "cryptography", "click", "rich"})
    done = finished(f"import proxy.client.{module}", absent)
    assert done.returncode == 0, done.stderr
    assert finished(f"import proxy.client.{module}", needs).returncode == 1
