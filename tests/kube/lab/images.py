"""The images that pods are started from: made by podman below the lab's own directory.

No registry is asked: the base image comes from Debian's packages, the project's from its own
Dockerfile on top of that.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.kube.lab.place import BASE_IMAGE, IMAGE, PAUSE_IMAGE, REPOSITORY, home

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
RUN = "/mnt/podman"
"""podman insists on a path that is shorter than the lab's may be."""

APART = 'mount -t tmpfs tmpfs /mnt; exec podman "$@"'
"""What podman mounts and remembers of it, ``RUN`` included, ends with it."""

SETTINGS = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
[engine]
runtime = "runc"
"""
"""Limits that any machine can grant: podman's own are above what a container's root may set."""


def podman(*arguments: str | Path, quiet: bool = True) -> str:
    """Run podman on the lab's own store, its mounts in a namespace that ends with it."""
    store = home() / "podman"
    store.mkdir(parents=True, exist_ok=True)
    (store / "containers.conf").write_text(SETTINGS)
    place = ("--storage-driver=overlay", f"--root={store}/root", f"--runroot={RUN}")
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-ec", APART, "podman", *place, *arguments),
        env=os.environ | {"CONTAINERS_CONF": str(store / "containers.conf")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode:
        raise SystemExit(f"podman {arguments[0]} failed:\n{done.stdout}")
    return done.stdout


def exists(image: str) -> bool:
    """Whether the store has it."""
    return bool(podman("images", "--quiet", "--filter", f"reference={image}").strip())


def base() -> None:
    """Debian with Python, as ``make`` had it made of packages, and the pods' first process."""
    for image, source, change in (
        (BASE_IMAGE, "base.tar", 'CMD ["python"]'),
        (PAUSE_IMAGE, "pause.tar", 'ENTRYPOINT ["/pause"]'),
    ):
        seen, stamp = home() / f"{source}.imported", str((home() / source).stat().st_mtime_ns)
        if seen.exists() and seen.read_text() == stamp and exists(image):
            continue
        podman("import", f"--change={change}", home() / source, image)
        seen.write_text(stamp)


def project() -> None:
    """The repository's Dockerfile, which trusts inside whom this machine trusts outside."""
    base()
    trusting = (f"--volume={AUTHORITIES}:{AUTHORITIES}:ro",) if AUTHORITIES.exists() else ()
    built = ("--pull=never", "--network=host", f"--build-arg=BASE={BASE_IMAGE}", *trusting)
    podman("build", *built, "--tag", IMAGE, REPOSITORY)
    podman("image", "prune", "--force")


def save(file: Path) -> None:
    """What the node's containerd imports."""
    podman("save", "--quiet", "--multi-image-archive", "--output", file, IMAGE, PAUSE_IMAGE)
