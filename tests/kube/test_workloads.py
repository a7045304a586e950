"""Every kustomization of ``deploy/kubernetes`` runs, and its program is served from the first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kube.deployed import overlay
from tests.kube.kubectl import Namespace, run, statuses
from tests.kube.told import CLIENT, SUBJECT, WORKLOAD, Surroundings


def served_from_the_first(namespace: Namespace, *selector: str) -> None:
    """No program was refused once, nothing was restarted."""
    pods = namespace.pods(*selector)
    assert pods
    for pod in pods:
        name = pod["metadata"]["name"]
        assert "first answer 200 after 0 refusals" in namespace.logs(name, "main")
        assert {one["restartCount"] for one in statuses(pod).values()} == {0}


def only_good(told_by_api: dict[str, object], client: str = CLIENT) -> None:
    """The API never saw a request without a good token."""
    assert told_by_api["refused"] == {}
    assert told_by_api["clients"] == [client]


@pytest.mark.parametrize("name", ["base", "overlays/network-policy"])
def test_a_deployment_is_served_from_its_first_request(
    name: str, namespace: Namespace, told: Surroundings, tmp_path: Path, ledger
) -> None:
    namespace.apply(overlay(tmp_path, name, told, namespace.name))
    namespace.rolled_out("deployment/reports")
    served_from_the_first(namespace)
    only_good(ledger())


def test_an_operator_may_watch_it(namespace: Namespace, told: Surroundings, tmp_path: Path) -> None:
    for kind in ("podmonitors", "prometheusrules"):
        definition = f"--filename={os.environ['OPERATOR_CRDS']}/{kind}.yaml"
        run("kubectl", "apply", "--server-side", definition)
        run("kubectl", "wait", "--for=condition=Established", definition, "--timeout=30s")
    namespace.apply(overlay(tmp_path, "overlays/monitoring", told, namespace.name))
    namespace.rolled_out("deployment/reports")
    pod = namespace.pods()[0]["metadata"]["name"]
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}:9090/proxy/metrics"
    assert "token_sidecar_" in namespace.kubectl("get", f"--raw={path}")


def test_a_plain_container_serves_it_too(
    namespace: Namespace, told: Surroundings, tmp_path: Path, ledger
) -> None:
    namespace.apply(overlay(tmp_path, "overlays/plain-container", told, namespace.name))
    namespace.rolled_out("deployment/reports")
    for pod in namespace.pods():
        assert "first answer 200 after" in namespace.logs(pod["metadata"]["name"], "main")
    only_good(ledger())


def test_pods_share_their_tokens_by_a_redis(
    namespace: Namespace, told: Surroundings, tmp_path: Path, ledger
) -> None:
    namespace.apply(overlay(tmp_path, "overlays/shared-redis", told, namespace.name))
    namespace.rolled_out("deployment/reports")
    served_from_the_first(namespace)
    only_good(ledger())
    assert ledger()["tokens"] == 1


@pytest.mark.namespace(WORKLOAD)
def test_a_service_account_logs_in_without_a_secret(
    namespace: Namespace, told: Surroundings, tmp_path: Path, ledger
) -> None:
    audience = {
        "target": {"kind": "Deployment", "name": "reports"},
        "patch": f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: reports}}
spec:
  template:
    spec:
      volumes:
        - name: token-sidecar-identity
          projected:
            sources:
              - serviceAccountToken:
                  audience: {told.issuer}
                  expirationSeconds: 3600
                  path: idp
""",
    }
    made = overlay(
        tmp_path, "overlays/federated", told, namespace.name, client=SUBJECT, patches=[audience]
    )
    namespace.apply(made)
    namespace.rolled_out("deployment/reports")
    served_from_the_first(namespace)
    only_good(ledger(), WORKLOAD)


def test_the_sidecar_is_put_into_workloads_that_know_nothing_of_it(
    namespace: Namespace, told: Surroundings, tmp_path: Path, ledger
) -> None:
    namespace.apply(overlay(tmp_path, "overlays/inject", told, namespace.name))
    for workload in ("deployment/legacy", "statefulset/worker", "daemonset/agent"):
        namespace.rolled_out(workload)
    namespace.completed("import")
    served_from_the_first(namespace, "--field-selector=status.phase=Running")
    only_good(ledger())
