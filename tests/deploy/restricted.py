"""Kubernetes' pod security standard `restricted`, as far as a pod template can be told to keep it.

After https://kubernetes.io/docs/concepts/security/pod-security-standards/: the controls of
`baseline` that manifests could break, and all of `restricted`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
CONFINED = ("RuntimeDefault", "Localhost")
Spec = dict[str, Any]


def violations(spec: Spec) -> list[str]:
    """What a namespace that enforces `restricted` would refuse; empty for a good pod."""
    found = [*_of_pod(spec)]
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for one in spec.get(key, ()):
            found += [f"{one['name']}: {what}" for what in _of_container(spec, one)]
    return found


def _of_pod(spec: Spec) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    for volume in spec.get("volumes", ()):
        if kinds := volume.keys() - {"name"} - VOLUMES:
            yield f"volume {volume['name']}: {', '.join(kinds)}"
    if spec.get("securityContext", {}).get("sysctls"):
        yield "sysctls"


def _of_container(spec: Spec, container: Spec) -> Iterator[str]:
    own, pods = container.get("securityContext", {}), spec.get("securityContext", {})
    both = pods | own
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if both.get("runAsUser") == 0:
        yield "runAsUser"
    if both.get("seccompProfile", {}).get("type") not in CONFINED:
        yield "seccompProfile"
    if own.get("privileged") or own.get("procMount", "Default") != "Default":
        yield "privileged"
    yield from _of_capabilities(own.get("capabilities", {}))
    if any("hostPort" in port for port in container.get("ports", ())):
        yield "hostPort"


def _of_capabilities(capabilities: Spec) -> Iterator[str]:
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities.drop"
    if set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
        yield "capabilities.add"
