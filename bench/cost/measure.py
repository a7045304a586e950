"""How a proxy is measured: its CPU time from /proc while wrk loads it from another CPU.

CPU per request holds on a noisy machine where throughput does not; rounds interleave the peers.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.subject import REPOSITORY, ask, resident

TICK = os.sysconf("SC_CLK_TCK")
PROXY_CPU, LOAD_CPU = "0", "1"
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests, and latencies in microseconds; ``bad`` names errors."""

    requests: int
    per_second: float
    p50: float
    p99: float
    bad: str


class Peer:
    """A proxy that runs, pinned to a CPU of its own."""

    def __init__(self, name: str, command: list[str], port: int, home: Path) -> None:
        self.name, self.port = name, port
        with (home / f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        ask(port, "/0", deadline=30)
        time.sleep(1)  # what it still does after its first answer is not what is measured
        self.processes = _family(self._process.pid)
        for each in self.processes:
            subprocess.run(
                ["taskset", "-apc", PROXY_CPU, str(each)], capture_output=True, check=False
            )

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        return sum(_cpu(each) for each in self.processes)

    def megabytes(self) -> float:
        """Resident size of its largest process, in MB."""
        return max(resident(each) for each in self.processes) * 1.048576

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return [each for each in found if "VmRSS" in Path(f"/proc/{each}/status").read_text()]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wrk(port: int, path: str, connections: int, seconds: int, arguments: list[str]) -> Load:
    """Load a port from the other CPU.

    Raises:
        RuntimeError: wrk said nothing that can be read.
    """
    command = ["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["--latency", *arguments, f"http://127.0.0.1:{port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    requests = re.search(r"(\d+) requests in", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if requests is None or rate is None:
        raise RuntimeError(f"wrk failed: {said}")
    spread = {
        share: float(value) * UNITS[unit]
        for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", said)
    }
    bad = " ".join(re.findall(r"Non-2xx.*|Socket errors.*", said))
    return Load(int(requests[1]), float(rate[1]), spread.get("50", 0.0), spread.get("99", 0.0), bad)
