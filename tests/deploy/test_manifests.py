"""Everything that ``deploy/`` puts into a cluster, before there is one."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.documents import (
    KUBERNETES,
    Document,
    containers,
    documents,
    everything,
    templates,
)
from tests.deploy.restricted import violations
from tests.deploy.schemas import faults, versions
from tests.support.process import command

ALL = everything()
SECRETS = "/run/secrets"
WRONG: dict[str, tuple[str, Any]] = {
    "runAsNonRoot": ("securityContext", {"runAsNonRoot": False}),
    "hostNetwork": ("hostNetwork", True),
    "volume": ("volumes", [{"name": "etc", "hostPath": {"path": "/etc"}}]),
}
WRONG_OF_CONTAINER: dict[str, tuple[str, Any]] = {
    "allowPrivilegeEscalation": ("allowPrivilegeEscalation", True),
    "runAsUser": ("runAsUser", 0),
    "seccompProfile": ("seccompProfile", {"type": "Unconfined"}),
    "privileged": ("privileged", True),
    "capabilities.drop": ("capabilities", {}),
    "capabilities.add": ("capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
}


def sidecars(name: str) -> list[tuple[str, Document, Document]]:
    """Where it is, the pod template, the container."""
    return [
        (label, template, container)
        for label, template in templates(documents(name))
        for container in containers(template)
        if container["name"] == "token-sidecar"
    ]


@pytest.mark.parametrize("name", ALL)
def test_every_kubernetes_from_1_29_on_knows_every_key(name: str) -> None:
    for version in versions():
        for document in documents(name):
            assert not faults(document, version), f"{document['kind']} in {version}"


def test_a_key_that_kubernetes_does_not_know_would_be_seen() -> None:
    for document in (*documents("base"), *documents("overlays/monitoring")):
        broken = copy.deepcopy(document)
        place = broken.get("spec", broken)
        place["replica"] = 2
        assert faults(broken, versions()[-1])


@pytest.mark.parametrize("name", ALL)
def test_a_namespace_that_enforces_restricted_takes_every_pod(name: str) -> None:
    for label, template in templates(documents(name)):
        assert not violations(template["spec"]), label


@pytest.mark.parametrize("what", [*WRONG, *WRONG_OF_CONTAINER])
def test_what_is_not_restricted_would_be_seen(what: str) -> None:
    ((_, template, sidecar), *_) = sidecars("base")
    spec = copy.deepcopy(template["spec"])
    if what in WRONG:
        key, value = WRONG[what]
        spec[key] = value
    else:
        key, value = WRONG_OF_CONTAINER[what]
        spec["containers"][0]["securityContext"][key] = value
    assert any(what in one for one in violations(spec))
    assert sidecar["name"]


@pytest.mark.parametrize("name", ALL)
def test_the_sidecar_keeps_to_restricted_whatever_its_pod_says(name: str) -> None:
    for label, _, sidecar in sidecars(name):
        assert not violations({"containers": [sidecar]}), label


@pytest.mark.parametrize("name", ALL)
async def test_check_finds_nothing_wrong_with_a_configuration(name: str, tmp_path: Path) -> None:
    for document in documents(name):
        if document["kind"] != "ConfigMap" or "config.yaml" not in document["data"]:
            continue
        for file, text in document["data"].items():
            (tmp_path / file).write_text(text.replace(SECRETS, str(tmp_path)))
        for needed in re.findall(rf"{SECRETS}/([\w./-]+)", document["data"]["config.yaml"]):
            _make_available(tmp_path / needed)
        checked = await command("check", "--config", str(tmp_path / "config.yaml"), home=tmp_path)
        assert (checked.code, "warning" in checked.out + checked.err) == (0, False), checked


def _make_available(secret: Path) -> None:
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    secret.chmod(0o400)


@pytest.mark.parametrize("name", ALL)
def test_probes_and_the_monitor_are_answered_where_the_configuration_says(name: str) -> None:
    found = documents(name)
    for document in found:
        if document["kind"] == "ConfigMap" and "config.yaml" in document["data"]:
            configuration = yaml.safe_load(document["data"]["config.yaml"])
            ports = {one["ports"][0]["containerPort"] for _, _, one in sidecars(name)}
            assert configuration["metrics"] in {f"0.0.0.0:{port}" for port in ports}
    for _, _, sidecar in sidecars(name):
        assert {one["name"] for one in sidecar["ports"]} == {"metrics"}
        paths = {key: sidecar[key]["httpGet"] for key in sidecar if key.endswith("Probe")}
        assert paths == {
            "startupProbe": {"path": "/healthz", "port": "metrics"},
            "livenessProbe": {"path": "/healthz", "port": "metrics"},
            "readinessProbe": {"path": "/readyz", "port": "metrics"},
        }
    for document in found:
        if document["kind"] == "PodMonitor":
            assert [one["port"] for one in document["spec"]["podMetricsEndpoints"]] == ["metrics"]


@pytest.mark.parametrize("name", ALL)
def test_a_native_sidecar_stands_before_all_others(name: str) -> None:
    for label, template, sidecar in sidecars(name):
        native = template["metadata"]["labels"]["token-sidecar/variant"] == "native"
        assert (sidecar.get("restartPolicy") == "Always") is native, label
        first = template["spec"]["initContainers" if native else "containers"][0]
        assert first["name"] == "token-sidecar", label


@pytest.mark.parametrize("name", ALL)
def test_what_changes_in_the_cluster_arrives_in_the_pod(name: str) -> None:
    for label, template, sidecar in sidecars(name):
        assert not any("subPath" in one for one in sidecar["volumeMounts"]), label
        mounted = {one["name"] for one in sidecar["volumeMounts"]}
        volumes = {one["name"]: one for one in template["spec"]["volumes"]}
        assert mounted <= volumes.keys(), label
        others = [one for one in containers(template) if one["name"] != "token-sidecar"]
        secret = {one for one in mounted if one.startswith("token-sidecar")}
        assert not any(
            mount["name"] in secret for one in others for mount in one.get("volumeMounts", ())
        ), label
    for document in documents(name):
        assert not document.get("immutable"), document["metadata"]["name"]


@pytest.mark.parametrize("name", ALL)
def test_no_secret_has_a_value_here(name: str) -> None:
    assert "Secret" not in {one["kind"] for one in documents(name)}


@pytest.mark.parametrize("name", ALL)
def test_there_is_time_to_end(name: str) -> None:
    configurations = [
        yaml.safe_load(one["data"]["config.yaml"])
        for one in documents(name)
        if one["kind"] == "ConfigMap" and "config.yaml" in one["data"]
    ]
    for configuration in configurations:
        delay = int(configuration["drain"]["delay"].removesuffix("s"))
        for label, template, _ in sidecars(name):
            grace = template["spec"].get("terminationGracePeriodSeconds", 30)
            assert grace >= 2 * delay + 5, label


@pytest.mark.parametrize("component", ["sidecar", "plain-container"])
def test_a_cronjob_gets_the_same_as_every_other_workload(component: str) -> None:
    folder = KUBERNETES / "components" / component
    pod, cronjob = (
        yaml.safe_load((folder / f"{one}.yaml").read_text()) for one in ("pod", "cronjob")
    )
    assert cronjob["spec"]["jobTemplate"]["spec"]["template"] == pod["spec"]["template"]


def test_the_two_variants_differ_in_their_place_alone() -> None:
    ((_, _, native), *_), ((_, _, plain), *_) = (
        sidecars("base"),
        sidecars("overlays/plain-container"),
    )
    assert native == plain | {"restartPolicy": "Always"}


def test_the_chart_makes_the_same_container_as_kustomize() -> None:
    ((_, _, one), *_) = sidecars("base")
    ((_, _, other), *_) = sidecars("values/deployment.yaml")
    assert one == {key: other[key] for key in other if key != "imagePullPolicy"}
