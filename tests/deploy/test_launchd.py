"""The property list: what launchd would read of it, and the command line that it holds."""

from __future__ import annotations

import os
import plistlib
import subprocess
from pathlib import Path
from typing import Any

from tests.support.process import REPOSITORY

PLIST = REPOSITORY / "deploy/launchd/local.token-sidecar.plist"
TYPES: dict[str, type] = {
    "Label": str,
    "ProgramArguments": list,
    "RunAtLoad": bool,
    "KeepAlive": dict,
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "Umask": int,
    "HardResourceLimits": dict,
}
"""Of the keys that launchd.plist(5) knows, those that are in use; launchd ignores any other."""
PROGRAM = '#!/bin/sh\necho "$$ $@"; echo told >&2; exit 3\n'


def plist() -> dict[str, Any]:
    return plistlib.loads(PLIST.read_bytes())


def test_every_key_is_one_that_launchd_knows_with_its_type() -> None:
    said = plist()
    assert {key: type(value) for key, value in said.items()} == TYPES
    assert said["KeepAlive"] == {"SuccessfulExit": False}
    assert said["HardResourceLimits"] == {"Core": 0}
    assert said["Umask"] == 0o077


def test_its_name_is_its_label() -> None:
    assert plist()["Label"] + ".plist" == PLIST.name


def test_the_program_gets_the_signals_and_its_words_go_to_the_log(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    program = home / ".local/bin/token-sidecar"
    for directory in (program.parent, home / "Library/Logs"):
        directory.mkdir(parents=True)
    program.write_text(PROGRAM)
    program.chmod(0o755)
    process = subprocess.Popen(
        plist()["ProgramArguments"],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 3
    assert out == f"{process.pid} run --config {home}/.config/token-sidecar/config.yaml\n"
    assert (home / "Library/Logs/token-sidecar.log").read_text() == "told\n"
