"""What is measured: a real ``token-sidecar run`` between a provider and an upstream on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INSTALLED = Path(sys.executable).with_name("token-sidecar")
PROGRAM = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, "-m", "proxy"]
REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGURATION = """\
listen: 127.0.0.1:{listen}
admin: 127.0.0.1:{admin}
state_dir: {home}/state
credentials:
  bench:
    token_url: http://127.0.0.1:{provider}/token
    client_id: bench
    client_secret: {{file: secret}}
routes:
  - path: /
    upstream: http://127.0.0.1:{upstream}
    credential: bench
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """The servers are there; the sidecar can be started on ``file`` and will listen on ``port``."""

    file: Path
    port: int

    @contextlib.contextmanager
    def sidecar(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process, from the moment of exec; ended afterwards."""
        with (self.file.parent / "sidecar.log").open("ab") as log:
            arguments = [*PROGRAM, "run", "--config", str(self.file)]
            process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=REPOSITORY)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def setting() -> Iterator[Setting]:
    """A provider, an upstream, each a process, and a configuration between them."""
    with tempfile.TemporaryDirectory(prefix="token-sidecar-bench-") as home:
        names = ("listen", "admin", "provider", "upstream")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        file = Path(home, "config.yaml")
        file.write_text(CONFIGURATION.format(home=home, **ports))
        Path(home, "secret").write_text("bench-secret")
        Path(home, "secret").chmod(0o600)
        with serving(ports["provider"]), serving(ports["upstream"]):
            yield Setting(file, ports["listen"])


@contextlib.contextmanager
def serving(port: int) -> Iterator[None]:
    """``bench.loopback`` on this port."""
    arguments = [sys.executable, "-m", "bench.loopback", str(port)]
    process = subprocess.Popen(arguments, cwd=REPOSITORY)
    try:
        ask(port, "/0", deadline=10)
        yield
    finally:
        process.kill()
        process.wait()


def ask(port: int, target: str, *, deadline: float) -> int:
    """Ask until somebody answers; the answer's status.

    Raises:
        TimeoutError: nobody did within ``deadline`` seconds.
    """
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        try:
            return once(port, target, deadline)
        except ConnectionRefusedError:
            time.sleep(0.002)
    raise TimeoutError(f"nothing answers on port {port}")


def once(port: int, target: str, deadline: float) -> int:
    """One request on a connection of its own; the status."""
    with socket.create_connection(("127.0.0.1", port), timeout=deadline) as connection:
        request = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        head = b""
        while b"\r\n" not in head:
            part = connection.recv(4096)
            if not part:
                raise ConnectionError(f"no answer from port {port}")
            head += part
    return int(head.split(b" ", 2)[1])


def resident(pid: int, field: str = "VmRSS") -> float:
    """Resident memory in MiB, now or (``VmHWM``) at its highest (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    if found is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return int(found[1]) / 1024


def processor(pid: int) -> float:
    """Processor time that a process has used, in seconds (Linux): other load does not move it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
