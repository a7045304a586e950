"""What ``deploy/`` comes to: the documents of every overlay and of the chart, built once.

Runs kustomize and helm; knows nothing of what the documents have to say.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
KUBERNETES = REPOSITORY / "deploy/kubernetes"
CHART = REPOSITORY / "deploy/helm/token-sidecar"
VALUES = Path(__file__).parent / "values"
OWN_CHART = Path(__file__).parent / "own-chart"
RELEASE = "reports"
OLDEST = {"plain.yaml": "1.25.0", "plain-cronjob.yaml": "1.25.0"}
"""The Kubernetes that a values file is for, where it is not today's."""

Document = dict[str, Any]


def overlays() -> list[str]:
    """The base and every overlay."""
    return ["base", *sorted(f"overlays/{one.name}" for one in (KUBERNETES / "overlays").iterdir())]


def charts() -> list[str]:
    """The values files that the chart is rendered with."""
    return sorted(one.name for one in VALUES.glob("*.yaml"))


def everything() -> list[str]:
    """Names of all that can be rendered."""
    return [*overlays(), *(f"values/{one}" for one in charts()), "values.yaml", "own-chart"]


@functools.cache
def text(name: str) -> str:
    """The YAML of an overlay, of the chart with a values file, or of the chart that includes it."""
    if name == "own-chart":
        return _run(os.environ["HELM"], "template", RELEASE, str(_own_chart()), *_version("1.33.0"))
    if name.startswith("values"):
        return rendered(() if name == "values.yaml" else (VALUES.parent / name,), _since(name))
    return _run(os.environ["KUSTOMIZE"], "build", str(KUBERNETES / name))


def documents(name: str) -> list[Document]:
    """The same, read."""
    return [one for one in yaml.safe_load_all(text(name)) if one]


def rendered(values: Sequence[Path], version: str = "1.33.0") -> str:
    """The chart with these values files; CalledProcessError has helm's message in stderr."""
    files = [part for one in values for part in ("--values", str(one))]
    return _run(os.environ["HELM"], "template", RELEASE, str(CHART), *files, *_version(version))


def lint(values: Path) -> str:
    """What helm says about the chart with this values file."""
    version = _version("1.33.0")
    return _run(
        os.environ["HELM"], "lint", "--strict", str(CHART), "--values", str(values), *version
    )


def templates(found: Sequence[Document]) -> Iterator[tuple[str, Document]]:
    """Every pod template, or pod, and what it belongs to."""
    for one in found:
        label = f"{one['kind']}/{one['metadata']['name']}"
        match one["kind"]:
            case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
                yield label, one["spec"]["template"]
            case "CronJob":
                yield label, one["spec"]["jobTemplate"]["spec"]["template"]
            case "Pod":
                yield label, one


def containers(template: Document) -> Iterator[Document]:
    """All of a pod, in the order in which they start."""
    spec = template["spec"]
    yield from (*spec.get("initContainers", ()), *spec["containers"])


def _since(name: str) -> str:
    return OLDEST.get(Path(name).name, "1.33.0")


def _version(version: str) -> tuple[str, str]:
    return ("--kube-version", version)


@functools.cache
def _own_chart() -> Path:
    _run(os.environ["HELM"], "dependency", "update", "--skip-refresh", str(OWN_CHART))
    return OWN_CHART


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
