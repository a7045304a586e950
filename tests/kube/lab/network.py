"""The node's network and what it may see of the machine: all in namespaces that end with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.kube.lab.place import NODE

TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet sets for the whole machine. Here it finds it set, in files of our own."""


def furnish(work: Path) -> None:
    """A node with a bridge for its address, and a ``/run`` of its own."""
    for command in (
        "ip link set lo up",
        "ip link add node0 type bridge",
        f"ip addr add {NODE}/24 dev node0",
        "ip link set node0 up",
        "ip route add default dev node0",
        "mount -t tmpfs tmpfs /run",
    ):
        subprocess.run(command.split(), check=True)
    Path("/run/netns").mkdir()
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    shield(work / "tunables")


def shield(directory: Path) -> None:
    """Lay files of our own over the kernel's settings that the kubelet would change."""
    directory.mkdir()
    for number, (name, value) in enumerate(TUNABLES.items()):
        stand_in = directory / str(number)
        stand_in.write_text(value)
        setting = Path("/proc/sys") / name
        if setting.exists():
            subprocess.run(("mount", "--bind", stand_in, setting), check=True)
