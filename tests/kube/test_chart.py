"""The chart's life: installed, tested, upgraded, rolled back, uninstalled; bad values refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube.deployed import CHART, IMAGE, KUBERNETES, configuration
from tests.kube.deployed import SECRETS as SECRET_NAME
from tests.kube.kubectl import Namespace, statuses
from tests.kube.told import SECRET, Surroundings

PROBE = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 2}


def values(told: Surroundings, visitor: str) -> dict[str, Any]:
    """What a person writes who has the examples' program."""
    whole = configuration((KUBERNETES / "base/config.yaml").read_text(), told, visitor)
    image = {"repository": IMAGE["newName"], "tag": IMAGE["newTag"]}
    return {
        "config": {key: whole[key] for key in ("credentials", "routes")},
        "files": {"ca.pem": Path(told.ca_file).read_text()},
        "image": image,
        "workload": {"kind": "Deployment", "replicas": 1},
        "main": {
            "image": image,
            "command": ["python", "-u", "/program/program.py", "serve"],
            "ports": [{"name": "http", "containerPort": 8000}],
            "readinessProbe": PROBE,
            "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
        },
        "pod": {"volumes": [{"name": "program", "configMap": {"name": "program"}}]},
        "service": {"enabled": True},
        "podDisruptionBudget": {"enabled": True},
        "networkPolicy": {"enabled": True},
    }


def deployment(namespace: Namespace) -> dict[str, Any]:
    """The release's only one."""
    (found,) = namespace.get("deployments")["items"]
    return dict(found)


def test_a_release_lives_from_install_to_uninstall(
    namespace: Namespace, told: Surroundings, tmp_path: Path
) -> None:
    program = KUBERNETES / "example/program.py"
    namespace.kubectl("create", "configmap", "program", f"--from-file={program}")
    secret = ("create", "secret", "generic", SECRET_NAME)
    namespace.kubectl(*secret, f"--from-literal=client-secret={SECRET}")
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values(told, namespace.name)))
    waiting = (f"--values={file}", "--wait", "--timeout=180s")
    namespace.helm("install", "reports", str(CHART), *waiting)
    (pod,) = namespace.pods()
    assert "first answer 200 after 0" in namespace.logs(pod["metadata"]["name"], "main")
    assert statuses(pod)["token-sidecar"]["restartCount"] == 0
    assert "Succeeded" in namespace.helm("test", "reports", "--logs", "--timeout=180s")
    more = ("--set=workload.replicas=2", "--set=resources.limits.memory=160Mi")
    namespace.helm("upgrade", "reports", str(CHART), *waiting, *more)
    # Helm waits for the new ones to be there, not for the old one to be gone.
    namespace.rolled_out(f"deployment/{deployment(namespace)['metadata']['name']}")
    assert deployment(namespace)["status"]["readyReplicas"] == 2
    namespace.helm("rollback", "reports", "--wait", "--timeout=180s")
    assert deployment(namespace)["spec"]["replicas"] == 1
    namespace.helm("uninstall", "reports", "--wait", "--timeout=180s")
    assert namespace.get("deployments,services,configmaps", "-l", LABEL)["items"] == []


LABEL = "app.kubernetes.io/instance=reports"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("workload.kind=Deploymint", "kind"),
        ("image.repositry=elsewhere", "repositry"),
        ("variant=both", "variant"),
        ("workload.replicas=many", "replicas"),
    ],
)
def test_broken_values_are_refused_before_anything_is_made(
    setting: str, complaint: str, told: Surroundings, tmp_path: Path
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values(told, "nobody")))
    command = ("helm", "install", "broken", str(CHART), f"--values={file}", f"--set={setting}")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "values don't meet the specifications of the schema" in done.stderr
