"""kubectl and helm, as a person uses them in one namespace."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def run(*command: str, text: str | None = None, deadline: float = 300) -> str:
    """Its stdout; AssertionError with all it said if it failed."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=deadline
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout


class Namespace:
    """One namespace that enforces pod-security ``restricted``.

    Args:
        name: also the API's visitor that its pods are.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def make(self) -> None:
        """Make it, as an administrator who is careful."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": self.name, "labels": labels}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        run("kubectl", "apply", "--filename=-", text=json.dumps(manifest))

    def remove(self) -> None:
        """And everything in it; not waited for."""
        run("kubectl", "delete", "namespace", self.name, "--wait=false")

    def kubectl(self, *arguments: str, text: str | None = None, deadline: float = 300) -> str:
        """Its stdout; AssertionError if it failed."""
        named = ("kubectl", f"--namespace={self.name}")
        return run(*named, *arguments, text=text, deadline=deadline)

    def helm(self, *arguments: str) -> str:
        """Its stdout; AssertionError if it failed."""
        return run("helm", f"--namespace={self.name}", *arguments)

    def apply(self, directory: Path) -> None:
        """A kustomization, which the server must find right before it is told to keep it."""
        self.kubectl("apply", f"--kustomize={directory}", "--dry-run=server")
        self.kubectl("apply", f"--kustomize={directory}")

    def get(self, *arguments: str) -> dict[str, Any]:
        """One object, or a list of them."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "--output=json"))
        return found

    def pods(self, *selector: str) -> list[dict[str, Any]]:
        """Its pods; ``selector``: further arguments of ``get``."""
        return list(self.get("pods", *selector)["items"])

    def rolled_out(self, what: str, seconds: int = 300) -> None:
        """Wait until all pods of a workload are ready."""
        self.kubectl("rollout", "status", what, f"--timeout={seconds}s", deadline=seconds + 30)

    def completed(self, job: str, seconds: int = 300) -> None:
        """Wait until a Job has completed; AssertionError at once if it failed."""

        def done() -> bool:
            conditions = self.get("job", job)["status"].get("conditions", [])
            true = {one["type"] for one in conditions if one["status"] == "True"}
            assert "Failed" not in true, f"job {job} failed"
            return "Complete" in true

        until(done, seconds, f"the completion of job {job}")

    def logs(self, pod: str, container: str) -> str:
        """What a container wrote so far."""
        return self.kubectl("logs", pod, f"--container={container}")

    @contextmanager
    def followed(self, pod: str, container: str, file: Path) -> Iterator[None]:
        """What a container writes goes to a file too, which outlives the pod."""
        command = ("kubectl", f"--namespace={self.name}", "logs", "--follow", pod, "-c", container)
        with file.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
            try:
                yield
                process.wait(90)
            finally:
                process.kill()

    def story(self) -> str:
        """All that helps to understand a failure: pods, events, the containers' last words."""
        parts = [self._said("get", "all", "--output=wide")]
        parts.append(self._said("get", "events", "--sort-by=.lastTimestamp"))
        for pod in self.pods():
            name = pod["metadata"]["name"]
            for container in statuses(pod):
                logs = ("logs", name, f"--container={container}", "--prefix", "--tail=15")
                parts += [self._said(*logs), self._said(*logs, "--previous")]
        return "\n".join(part for part in parts if part)

    def _said(self, *arguments: str) -> str:
        """What kubectl says, even if it fails: some containers have no log yet."""
        command = ("kubectl", f"--namespace={self.name}", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout


def until(condition: Callable[[], bool], seconds: float, what: str, pause: float = 0.3) -> None:
    """Ask over and over; AssertionError after so long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} was still missing after {seconds:.0f} s"
        time.sleep(pause)


def statuses(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Container → its status, native sidecars among them."""
    status = pod["status"]
    return {
        one["name"]: one
        for kind in ("initContainerStatuses", "containerStatuses")
        for one in status.get(kind, [])
    }
