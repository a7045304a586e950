"""What the lab needs of the machine, and what is missing of it, in words.

``python3 -m tests.kube.lab.requirements`` says it before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

CNI = Path("/usr/lib/cni")
PROGRAMS = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "podman": "podman",
    "runc": "runc",
    "unshare": "util-linux",
    str(CNI / "host-local"): "containernetworking-plugins",
    str(CNI / "loopback"): "containernetworking-plugins",
    str(CNI / "ptp"): "containernetworking-plugins",
}
"""A program → Debian's package that has it."""


def missing() -> Iterator[str]:
    """Every reason why the lab cannot run here."""
    if sys.platform != "linux":
        yield "it runs on Linux only"
        return
    if os.geteuid() != 0:
        yield "it must be run by root: it makes namespaces, networks and control groups"
    if packages := sorted({package for name, package in PROGRAMS.items() if not found(name)}):
        yield f"programs are missing: apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("go") is None:
        yield "Go 1.24 or later is missing: it builds Kubernetes (https://go.dev/dl)"


def found(name: str) -> bool:
    """Whether a program is there, by name or by path; /usr/sbin is not on everybody's path."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None


def main() -> int:
    """0 where nothing is missing; else stderr says what is."""
    reasons = list(missing())
    for reason in reasons:
        sys.stderr.write(f"make kube: {reason}\n")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
