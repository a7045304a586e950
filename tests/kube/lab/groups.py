"""The control groups that pods live below: made before the node, removed after it.

Both versions of control groups are served; only directories of our own name are touched.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
INHERITED = ("cpuset.cpus", "cpuset.mems")
"""A new group of version 1 has none of these, and nothing can run in it until it does."""


def hierarchies() -> Iterator[Path]:
    """The one of version 2, or one for each controller of version 1."""
    if (ROOT / "cgroup.controllers").exists():
        yield ROOT
        return
    for directory in sorted(ROOT.iterdir()):
        if directory.is_dir() and not directory.is_symlink():
            yield directory


@contextlib.contextmanager
def group(name: str) -> Iterator[None]:
    """Groups of this name while the block runs; what the kubelet made below goes with them."""
    try:
        for hierarchy in hierarchies():
            (hierarchy / name).mkdir(exist_ok=True)
            for inherited in INHERITED:
                if hierarchy != ROOT and (hierarchy / inherited).exists():
                    value = (hierarchy / inherited).read_text()
                    (hierarchy / name / inherited).write_text(value)
        yield
    finally:
        for hierarchy in hierarchies():
            remove(hierarchy / name)


def remove(directory: Path, seconds: float = 10) -> None:
    """A group and all below it, once their last process is gone."""
    end = time.monotonic() + seconds
    while directory.exists() and time.monotonic() < end:
        for below in sorted(directory.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):
                below.rmdir()
        with contextlib.suppress(OSError):
            directory.rmdir()
            return
        time.sleep(0.1)


def peak(name: str, container: str) -> int:
    """The most bytes a container's group ever held, by its id."""
    for hierarchy in hierarchies():
        for file in ("memory.peak", "memory.max_usage_in_bytes"):
            for found in (hierarchy / name).rglob(f"{container}/{file}"):
                return int(found.read_text())
    raise LookupError(f"no group of container {container}")
