"""Unit files as systemd reads them: sections of keys, each of which may be said several times."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.process import REPOSITORY

UNITS = REPOSITORY / "deploy/systemd"
INSTALLED = "/opt/token-sidecar/bin/token-sidecar"
BY_PIPX = "%h/.local/bin/token-sidecar"

Unit = dict[str, dict[str, list[str]]]


def parsed(path: Path) -> Unit:
    """What a unit file says; an empty value takes back what was said before."""
    unit: Unit = {}
    section: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key] = [*section.get(key, []), value] if value else []
    return unit


def analyzed(*arguments: str, in_: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """What ``systemd-analyze`` says; a user's manager wants to know a runtime directory."""
    return subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=in_,
        env={"PATH": os.environ["PATH"], "HOME": str(in_), "XDG_RUNTIME_DIR": str(in_)},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(names: list[str]) -> set[str]:
    """The system calls that ``SystemCallFilter=`` lines come to, in an allow list."""
    allowed = expanded("@default")
    for line in names:
        found = {call for one in line.lstrip("~").split() for call in expanded(one)}
        allowed = allowed - found if line.startswith("~") else allowed | found
    return allowed


def expanded(name: str) -> set[str]:
    """A call, or those of a set and of the sets in it."""
    if not name.startswith("@"):
        return {name}
    lines = analyzed("syscall-filter", name).stdout.splitlines()[1:]
    named = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return {call for one in named for call in expanded(one)}
