"""Pods come and go under traffic and no caller notices."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kube.deployed import overlay
from tests.kube.kubectl import Namespace, run, until
from tests.kube.told import CLIENT, Surroundings

UPDATES = 20
STAMP = '{"spec": {"template": {"metadata": {"annotations": {"update": "%d"}}}}}'


@contextmanager
def traffic(url: str, file: Path) -> Iterator[dict[str, int]]:
    """Callers ask ``url`` while the block runs; after it, how many had which answer."""
    tally: dict[str, int] = {}
    with file.open("wb") as out:
        process = subprocess.Popen((sys.executable, "-m", "tests.kube.traffic", url), stdout=out)
    try:
        yield tally
    finally:
        process.terminate()
        process.wait(60)
    tally.update(json.loads(file.read_text()))


def drain(namespace: Namespace) -> None:
    """Evict both pods as before a node's maintenance.

    There is one node: it is given back as soon as the budget has let go the first pod and holds
    the second, which goes when the first one's successor is ready.
    """
    before = {pod["metadata"]["uid"] for pod in namespace.pods()}
    command = ("kubectl", "drain", "node", "--ignore-daemonsets", "--delete-emptydir-data")
    chosen = (f"--pod-selector={SELECTOR},namespace={namespace.name}", "--timeout=240s")
    with subprocess.Popen((*command, *chosen), stdout=subprocess.DEVNULL) as draining:
        until(lambda: evicted(namespace), 120, "the eviction of a pod")
        run("kubectl", "uncordon", "node")
        assert draining.wait(300) == 0
    namespace.rolled_out("deployment/reports")
    after = {pod["metadata"]["uid"] for pod in namespace.pods() if not leaving(pod)}
    assert not before & after


SELECTOR = "app.kubernetes.io/name=reports"


def leaving(pod: dict[str, dict[str, str]]) -> bool:
    """Whether it was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def evicted(namespace: Namespace) -> bool:
    """Whether a pod was told to end."""
    return any(map(leaving, namespace.pods()))


def test_twenty_rolling_updates_and_a_drain_fail_no_request(
    namespace: Namespace, told: Surroundings, tmp_path: Path, ledger, measured
) -> None:
    label = {"path": "/spec/template/metadata/labels/namespace", "value": namespace.name}
    surge = {"path": "/spec/strategy/rollingUpdate/maxSurge", "value": 2}
    changes = {
        "target": {"kind": "Deployment", "name": "reports"},
        "patch": json.dumps([{"op": "add"} | label, {"op": "replace"} | surge]),
    }
    namespace.apply(overlay(tmp_path, "base", told, namespace.name, patches=[changes]))
    namespace.rolled_out("deployment/reports")
    address = namespace.get("service", "reports")["spec"]["clusterIP"]
    with traffic(f"http://{address}/traffic", tmp_path / "traffic.json") as tally:
        start = time.monotonic()
        for update in range(UPDATES):
            namespace.kubectl("patch", "deployment/reports", f"--patch={STAMP % update}")
            namespace.rolled_out("deployment/reports")
        rolled = time.monotonic()
        drain(namespace)
        drained = time.monotonic()
    measured(
        f"{UPDATES} rolling updates in {rolled - start:.0f} s, a drain in {drained - rolled:.0f} s:"
        f" {tally.get('200', 0)} requests answered 200, {sum(tally.values()) - tally['200']} not"
    )
    assert set(tally) == {"200"}
    assert ledger()["refused"] == {}
    assert ledger()["clients"] == [CLIENT]


def test_the_last_requests_of_a_pod_that_is_deleted_still_go_through(
    namespace: Namespace, told: Surroundings, tmp_path: Path
) -> None:
    namespace.apply(overlay(tmp_path, "base", told, namespace.name))
    namespace.rolled_out("deployment/reports")
    one, other = (pod["metadata"]["name"] for pod in namespace.pods())
    logs = tmp_path / "one.log", tmp_path / "other.log"
    with namespace.followed(one, "main", logs[0]), namespace.followed(other, "main", logs[1]):
        namespace.kubectl("delete", "deployment/reports", "--wait=false")
    for log in logs:
        assert re.search("^last answer 200$", log.read_text(), re.MULTILINE), log.read_text()
