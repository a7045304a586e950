"""The node's life: its parts are started in order, waited for, and watched while a program runs."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.kube.lab import configuration
from tests.kube.lab.configuration import CERTIFIED, CONTAINERD, Papers
from tests.kube.lab.place import home
from tests.support.certificates import Authority


class Node:
    """Everything Kubernetes is, on this machine.

    Args:
        work: a directory for all it keeps and writes; gone after the run.
        cgroup: the group that its pods live below.
    """

    def __init__(self, work: Path, cgroup: str) -> None:
        self._work, self._cgroup = work, cgroup
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, images: Path) -> None:
        """Until pods can be made from ``images``; RuntimeError with the log if a part ended."""
        papers = self._papers()
        for name, text in configuration.files(self._work, papers, self._cgroup).items():
            (self._work / name).parent.mkdir(exist_ok=True)
            (self._work / name).write_text(text)
        self._run(configuration.store(self._work))
        self._run(configuration.api(self._work, papers))
        self._run(("containerd", f"--config={self._work}/containerd.toml"))
        self._until("containerd", "ctr", f"--address={CONTAINERD}", "version")
        imported = ("ctr", f"--address={CONTAINERD}", "--namespace=k8s.io", "images", "import")
        subprocess.run((*imported, images), check=True, stdout=subprocess.DEVNULL, timeout=120)
        self._until("kube-apiserver", "kubectl", "get", "--raw=/readyz")
        for command in configuration.followers(self._work, papers):
            self._run(command)
        ready = ("kubectl", "wait", "--for=condition=Ready", "node/node", "--timeout=1s")
        self._until("kubelet", *ready)
        self._until("kube-controller-manager", "kubectl", "get", "serviceaccount", "default")

    def environment(self) -> dict[str, str]:
        """How programs find the cluster."""
        path = f"{home() / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin"
        lab = {"KUBE_LAB": str(self._work), "KUBE_LAB_GROUP": self._cgroup}
        return os.environ | lab | {"PATH": path, "KUBECONFIG": str(self._work / "kubeconfig")}

    def stop(self) -> None:
        """End what runs; pods end with the namespace of processes."""
        for part in reversed(self._parts.values()):
            part.kill()

    def _papers(self) -> Papers:
        directory = self._work / "papers"
        directory.mkdir()
        authority = Authority(directory, "the cluster's authority")
        accounts, tokens = directory / "accounts.key", directory / "tokens.csv"
        accounts.write_bytes(rsa_key())
        token = secrets.token_hex()
        tokens.write_text(f'{token},lab,lab,"system:masters"\n')
        shown = authority.issue("node", addresses=CERTIFIED)
        return Papers(authority.ca_file, shown, accounts, tokens, token)

    def _run(self, command: tuple[str, ...]) -> None:
        with (self._work / f"{command[0]}.log").open("ab") as log:
            self._parts[command[0]] = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment(), start_new_session=True
            )

    def _until(self, part: str, *command: str, seconds: float = 120) -> None:
        """Repeat ``command`` until it succeeds, as it does when ``part`` is there."""
        end = time.monotonic() + seconds
        while not self._succeeds(command):
            self.check()
            if time.monotonic() > end:
                raise RuntimeError(
                    f"{part} did not get ready in {seconds:.0f} s:\n{self._end(part)}"
                )
            time.sleep(0.2)

    def _succeeds(self, command: tuple[str, ...]) -> bool:
        quiet = subprocess.DEVNULL
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, env=self.environment(), stdout=quiet, stderr=quiet, check=False, timeout=30
            )
            return done.returncode == 0
        return False

    def check(self) -> None:
        """RuntimeError if a part of the node ended by itself."""
        for name, part in self._parts.items():
            if part.poll() is not None:
                raise RuntimeError(f"{name} ended with {part.returncode}:\n{self._end(name)}")

    def _end(self, name: str) -> str:
        return "\n".join((self._work / f"{name}.log").read_text().splitlines()[-15:])


def rsa_key() -> bytes:
    """A private key for service accounts' tokens: every provider knows RS256."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
