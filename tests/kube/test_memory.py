"""The limit that the manifests set is kept while a very long body goes through."""

from __future__ import annotations

import os
from pathlib import Path

from tests.kube.deployed import overlay
from tests.kube.kubectl import Namespace, statuses
from tests.kube.lab.groups import peak
from tests.kube.told import Surroundings

GIB = 1 << 30
READ = f"""
import urllib.request
left = {GIB}
with urllib.request.urlopen("http://127.0.0.1:8080/bytes/{GIB}") as answer:
    while piece := answer.read(1 << 18):
        left -= len(piece)
print("missing", left)
"""
SUFFIXES = {"Mi": 1 << 20, "Gi": 1 << 30}


def limit(pod: dict[str, dict[str, list[dict[str, dict[str, dict[str, str]]]]]]) -> int:
    """The bytes that the sidecar may use, as the manifest says."""
    (sidecar,) = pod["spec"]["initContainers"]
    written = sidecar["resources"]["limits"]["memory"]
    return int(written[:-2]) * SUFFIXES[written[-2:]]


def test_memory_stays_below_the_limit_while_a_gibibyte_streams(
    namespace: Namespace, told: Surroundings, tmp_path: Path, measured
) -> None:
    namespace.apply(overlay(tmp_path, "base", told, namespace.name))
    namespace.rolled_out("deployment/reports")
    pod = namespace.pods()[0]
    name = pod["metadata"]["name"]
    said = namespace.kubectl("exec", name, "--container=main", "--", "python", "-c", READ)
    assert said == "missing 0\n"
    status = statuses(namespace.get("pod", name))["token-sidecar"]
    container = status["containerID"].removeprefix("containerd://")
    most = peak(os.environ["KUBE_LAB_GROUP"], container)
    measured(f"1 GiB streamed: {most / 2**20:.0f} MiB at most, the limit is {limit(pod) >> 20} MiB")
    assert status["restartCount"] == 0
    assert most < limit(pod)
