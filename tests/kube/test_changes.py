"""What is changed in the cluster is used by pods that run, without a restart."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.kube.conftest import expect
from tests.kube.deployed import CONFIGURATION, SECRETS, overlay
from tests.kube.kubectl import Namespace, statuses, until
from tests.kube.lab.configuration import KUBELET_SYNC
from tests.kube.told import CHANGING, NEXT_SECRET, Surroundings

OURS = 2.0
"""Seconds that the sidecar may take once a secret's file has changed."""

READ_AND_CHECKED = 90.0
"""Seconds for a whole configuration, which a process of its own reads, with the least share of a
busy machine that the manifests grant it.
"""

ONE = {
    "target": {"kind": "Deployment"},
    "patch": json.dumps([{"op": "replace", "path": "/spec/replicas", "value": 1}]),
}


def mounted(pod: dict[str, dict[str, str]], kind: str, volume: str) -> Path:
    """Where the kubelet keeps a volume of a pod; ``..data`` in it names the version."""
    pods = Path(os.environ["KUBE_LAB"]) / "kubelet/pods"
    return pods / pod["metadata"]["uid"] / "volumes" / f"kubernetes.io~{kind}" / volume


def swapped(volume: Path) -> float:
    """When a pod's volume got another version, on the monotonic clock."""
    before = (volume / "..data").readlink()
    until(lambda: (volume / "..data").readlink() != before, 90, "the kubelet's sync", pause=0.02)
    return time.monotonic()


def test_a_secret_that_was_mended_is_used_at_once(
    namespace: Namespace, told: Surroundings, tmp_path: Path, measured
) -> None:
    made = overlay(
        *(tmp_path, "base", told, namespace.name),
        client=CHANGING,
        secret="mistyped",
        patches=[ONE],
    )
    namespace.apply(made)
    until(lambda: "token_failed" in sidecar_log(namespace), 120, "the provider's refusal")
    (pod,) = namespace.pods()
    assert ask(pod, 9090, "/readyz") == 503
    mended = {"data": {"client-secret": base64.b64encode(NEXT_SECRET.encode()).decode()}}
    changed = time.monotonic()
    namespace.kubectl("patch", f"secret/{SECRETS}", f"--patch={json.dumps(mended)}")
    there = swapped(mounted(pod, "secret", "token-sidecar-secrets"))
    until(lambda: ask(pod, 9090, "/readyz") == 200, 120, "a token", pause=0.05)
    used = time.monotonic()
    measured(
        f"a Secret changed in the cluster: {there - changed:.1f} s until the kubelet's sync"
        f" (every {KUBELET_SYNC} s), used {used - there:.2f} s later (of {OURS:g} s)"
    )
    namespace.rolled_out("deployment/reports")
    assert statuses(namespace.pods()[0])["token-sidecar"]["restartCount"] == 0


def ask(pod: dict[str, dict[str, str]], port: int, target: str) -> int:
    """The status of an answer of a pod."""
    try:
        with urlopen(f"http://{pod['status']['podIP']}:{port}{target}", timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_changed_configuration_is_in_effect_and_a_broken_one_is_not(
    namespace: Namespace, told: Surroundings, tmp_path: Path, measured
) -> None:
    moved = f"{namespace.name}-moved"
    expect(told, moved)
    made = overlay(tmp_path / "first", "base", told, namespace.name, patches=[ONE])
    namespace.apply(made)
    namespace.rolled_out("deployment/reports")
    (pod,) = namespace.pods()
    volume = mounted(pod, "configmap", CONFIGURATION)
    namespace.apply(overlay(tmp_path / "second", "base", told, moved, patches=[ONE]))
    there = swapped(volume)
    until(lambda: visits(told, pod, moved), READ_AND_CHECKED, "the new route")
    used = time.monotonic()
    broken = {"data": {"config.yaml": "routes: 7\n"}}
    namespace.kubectl("patch", f"configmap/{CONFIGURATION}", f"--patch={json.dumps(broken)}")
    swapped(volume)
    until(lambda: "reload_refused" in sidecar_log(namespace), READ_AND_CHECKED, "its refusal")
    assert visits(told, pod, moved)
    measured(f"a ConfigMap changed in the cluster: used {used - there:.2f} s after the sync")
    assert statuses(namespace.pods()[0])["token-sidecar"]["restartCount"] == 0


def visits(told: Surroundings, pod: dict[str, dict[str, str]], visitor: str) -> bool:
    """Whether a request to this pod's program reaches the API as this visitor's."""
    before = answers(told, visitor)
    assert ask(pod, 8000, "/whose") == 200
    return answers(told, visitor) > before


def answers(told: Surroundings, visitor: str) -> int:
    """How many the API gave a visitor."""
    with urlopen(f"{told.books}/{visitor}", timeout=30) as answer:
        return int(json.load(answer)["answers"].get("200", 0))


def sidecar_log(namespace: Namespace) -> str:
    """What the only pod's sidecar wrote, once it runs."""
    pods = namespace.pods()
    sidecar = statuses(pods[0]).get("token-sidecar", {"state": {}}) if pods else {"state": {}}
    if "running" not in sidecar["state"]:
        return ""
    return namespace.logs(pods[0]["metadata"]["name"], "token-sidecar")
