"""A Job's pod completes, program and sidecar with exit code 0; a native sidecar ends after it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kube.deployed import overlay
from tests.kube.kubectl import Namespace, statuses, until
from tests.kube.told import Surroundings

EVERY_MINUTE = [{"op": "replace", "path": "/spec/schedule", "value": "* * * * *"}]


def ended_well(namespace: Namespace) -> dict[str, str]:
    """Container → when it ended; every one did so well, and the program had its answer."""
    (pod,) = namespace.pods()
    ended = {name: one["state"]["terminated"] for name, one in statuses(pod).items()}
    assert {name: one["exitCode"] for name, one in ended.items()} == {"token-sidecar": 0, "main": 0}
    assert "first answer 200" in namespace.logs(pod["metadata"]["name"], "main")
    return {name: one["finishedAt"] for name, one in ended.items()}


def test_a_job_completes(namespace: Namespace, told: Surroundings, tmp_path: Path) -> None:
    namespace.apply(overlay(tmp_path, "overlays/job", told, namespace.name))
    namespace.completed("report")
    ended = ended_well(namespace)
    assert ended["token-sidecar"] >= ended["main"]


def test_a_program_ends_the_sidecar_where_kubernetes_does_not(
    namespace: Namespace, told: Surroundings, tmp_path: Path
) -> None:
    namespace.apply(overlay(tmp_path, "overlays/before-1.29", told, namespace.name))
    namespace.completed("report")
    ended_well(namespace)


def test_a_cron_job_completes(namespace: Namespace, told: Surroundings, tmp_path: Path) -> None:
    scheduled = {"target": {"kind": "CronJob"}, "patch": json.dumps(EVERY_MINUTE)}
    made = overlay(tmp_path, "overlays/cronjob", told, namespace.name, patches=[scheduled])
    namespace.apply(made)
    until(lambda: bool(namespace.get("jobs")["items"]), 90, "the hour of the CronJob")
    paused = '{"spec": {"suspend": true}}'
    namespace.kubectl("patch", "cronjob/report", f"--patch={paused}")
    namespace.completed(namespace.get("jobs")["items"][0]["metadata"]["name"])
    ended = ended_well(namespace)
    assert ended["token-sidecar"] >= ended["main"]
