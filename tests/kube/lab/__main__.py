"""A real Kubernetes on one node, for as long as a program runs: ``python -m tests.kube.lab …``.

image           builds this repository's Dockerfile for the pods
run PROGRAM …   starts the node, runs PROGRAM with kubectl set up for it, and ends it all

The node lives in namespaces of its own (mounts, network, processes): whatever happens, nothing of
it is left, and nobody else's ports, addresses or mounts are touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.kube.lab import groups, images, network
from tests.kube.lab.node import Node
from tests.kube.lab.place import REPOSITORY, home

LONGEST = 1800
"""Seconds after which a run is ended, whatever it waits for."""

KEPT = REPOSITORY / "build/kube"
NAMESPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
FIRST = ("sh", "-c", '"$@"; exit $?', "sh")
"""The first process of a namespace inherits all orphans; a shell buries them."""


def run(program: Sequence[str]) -> int:
    """The program's exit code; the node's logs are kept where it failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = Path(tempfile.mkdtemp(prefix="run-", dir=home()))
    code = 1
    try:
        images.save(work / "images.tar")
        with groups.group(work.name):
            code = apart(work, program)
    finally:
        if code:
            keep(work)
        shutil.rmtree(work, ignore_errors=True)
    return code


def apart(work: Path, program: Sequence[str]) -> int:
    """Go on in fresh namespaces, whose processes all end when this one does."""
    inside = (sys.executable, "-m", "tests.kube.lab", "inside", str(work), *program)
    with subprocess.Popen(
        ("unshare", *NAMESPACES, *FIRST, *inside), start_new_session=True
    ) as process:
        try:
            return process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"make kube: still not done after {LONGEST} s: ended\n")
            return 1
        finally:
            process.kill()


def inside(work: Path, program: Sequence[str]) -> int:
    """The node around the program."""
    network.furnish(work)
    node = Node(work, work.name)
    try:
        node.start(work / "images.tar")
        code = subprocess.run(program, env=node.environment(), check=False).returncode
        node.check()
    except (RuntimeError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"make kube: {error}\n")
        return 1
    finally:
        node.stop()
    return code


def keep(work: Path) -> None:
    """Copy the logs to where they outlive the run."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for log in work.glob("*.log"):
        with contextlib.suppress(OSError):
            shutil.copy(log, KEPT)
    sys.stderr.write(f"make kube: what the node wrote is in {KEPT}\n")


def main(arguments: Sequence[str]) -> int:
    """One of the commands above."""
    match arguments:
        case ["image"]:
            images.project()
            return 0
        case ["run", *program] if program:
            return run(program)
        case ["inside", work, *program]:
            return inside(Path(work), program)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(main(sys.argv[1:]))
