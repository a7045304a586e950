"""A Job's pod completes: the program ends first, then the sidecar, both with exit code 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kube.deployed import overlay
from tests.kube.kubectl import Namespace, statuses, until
from tests.kube.told import Surroundings

EVERY_MINUTE = [{"op": "replace", "path": "/spec/schedule", "value": "* * * * *"}]


def ended_in_order(namespace: Namespace) -> None:
    """Every container ended well, the sidecar after the program."""
    (pod,) = namespace.pods()
    ended = {name: one["state"]["terminated"] for name, one in statuses(pod).items()}
    assert {name: one["exitCode"] for name, one in ended.items()} == {"token-sidecar": 0, "main": 0}
    assert ended["token-sidecar"]["finishedAt"] >= ended["main"]["finishedAt"]
    assert "first answer 200" in namespace.logs(pod["metadata"]["name"], "main")


@pytest.mark.parametrize("name", ["job", "before-1.29"])
def test_a_job_completes(
    name: str, namespace: Namespace, told: Surroundings, tmp_path: Path
) -> None:
    namespace.apply(overlay(tmp_path, f"overlays/{name}", told, namespace.name))
    namespace.completed("report")
    ended_in_order(namespace)


def test_a_cron_job_completes(namespace: Namespace, told: Surroundings, tmp_path: Path) -> None:
    scheduled = {"target": {"kind": "CronJob"}, "patch": json.dumps(EVERY_MINUTE)}
    made = overlay(tmp_path, "overlays/cronjob", told, namespace.name, patches=[scheduled])
    namespace.apply(made)
    until(lambda: bool(namespace.get("jobs")["items"]), 90, "the hour of the CronJob")
    paused = '{"spec": {"suspend": true}}'
    namespace.kubectl("patch", "cronjob/report", f"--patch={paused}")
    namespace.completed(namespace.get("jobs")["items"][0]["metadata"]["name"])
    ended_in_order(namespace)
