"""What the parts of the node are told: their configuration files and command lines.

The node has one address for all; clients prove themselves by one token, whose bearer may do
anything. Kubernetes' own names for all this: https://kubernetes.io/docs/reference/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kube.lab.place import API, FIRST_SERVICE, ISSUER, NODE, PAUSE_IMAGE, PODS, SERVICES
from tests.kube.lab.requirements import CNI
from tests.support.certificates import Pair

CONTAINERD = "/run/lab-containerd.sock"
ETCD, ETCD_PEER = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
KUBELET_SYNC = 10
"""Seconds between two looks of the kubelet at a pod's Secrets; its own default is 60."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Who the node is: its certificate, who signed that, and the keys of service accounts.

    Attributes:
        tokens: the file that says who bears which token.
        token: the one whose bearer may do anything.
    """

    ca_file: Path
    shown: Pair
    accounts: Path
    tokens: Path
    token: str


def files(work: Path, papers: Papers, cgroup: str) -> dict[str, str]:
    """File name below ``work`` → its text."""
    return {
        "cni/10-lab.conflist": json.dumps(network()),
        "containerd.toml": containerd(work),
        "kubelet.json": json.dumps(kubelet(work, papers, cgroup)),
        "kubeconfig": json.dumps(kubeconfig(papers)),
    }


def network() -> dict[str, Any]:
    """Every pod has a link of its own to the node, so that Services work between pods too."""
    addresses = {"type": "host-local", "ranges": [[{"subnet": PODS}]]}
    addresses["routes"] = [{"dst": "0.0.0.0/0"}]
    link = {"type": "ptp", "ipMasq": False, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "lab", "plugins": [link]}


def containerd(work: Path) -> str:
    """All it keeps is thrown away with the run."""
    return f"""version = 2
root = "{work}/containerd"
state = "/run/lab-containerd"
[grpc]
  address = "{CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI}"
    conf_dir = "{work}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def kubelet(work: Path, papers: Papers, cgroup: str) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "localStorageCapacityIsolation": False,
        "maxPods": 200,
        "oomScoreAdj": 0,
        "podLogsDir": f"{work}/pod-logs",
        "registryPullQPS": 0,
        "resolvConf": "",
        "syncFrequency": f"{KUBELET_SYNC}s",
        "tlsCertFile": str(papers.shown.cert_file),
        "tlsPrivateKeyFile": str(papers.shown.key_file),
    }


def kubeconfig(papers: Papers) -> dict[str, Any]:
    """For kubectl, helm and the parts themselves."""
    cluster = {"server": API, "certificate-authority": str(papers.ca_file)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": papers.token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }


def store(work: Path) -> tuple[str, ...]:
    """etcd, which need not survive anything."""
    return (
        "etcd",
        f"--data-dir={work}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
    )


def api(work: Path, papers: Papers) -> tuple[str, ...]:
    """The API server. What proves a service account is published for providers."""
    return (
        "kube-apiserver",
        f"--etcd-servers={ETCD}",
        f"--advertise-address={NODE}",
        f"--tls-cert-file={papers.shown.cert_file}",
        f"--tls-private-key-file={papers.shown.key_file}",
        f"--cert-dir={work}/api",
        f"--token-auth-file={papers.tokens}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={papers.accounts}",
        f"--service-account-signing-key-file={papers.accounts}",
        f"--service-cluster-ip-range={SERVICES}",
        "--kubelet-preferred-address-types=InternalIP",
    )


def followers(work: Path, papers: Papers) -> tuple[tuple[str, ...], ...]:
    """All that begins when the API server is there."""
    known = f"--kubeconfig={work}/kubeconfig"
    local = (known, "--leader-elect=false", "--bind-address=127.0.0.1")
    return (
        (
            "kube-controller-manager",
            *local,
            f"--cert-dir={work}/controllers",
            f"--service-account-private-key-file={papers.accounts}",
            f"--root-ca-file={papers.ca_file}",
        ),
        ("kube-scheduler", *local, f"--cert-dir={work}/scheduler"),
        (
            "kubelet",
            known,
            f"--config={work}/kubelet.json",
            "--hostname-override=node",
            f"--node-ip={NODE}",
            f"--root-dir={work}/kubelet",
            f"--cert-dir={work}/kubelet-certificates",
        ),
        (
            "kube-proxy",
            known,
            "--hostname-override=node",
            f"--cluster-cidr={PODS}",
            "--proxy-mode=iptables",
            "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
        ),
    )


CERTIFIED = (NODE, "127.0.0.1", FIRST_SERVICE)
"""The addresses that the node's certificate names."""
