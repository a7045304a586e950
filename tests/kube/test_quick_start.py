"""The quick start for Kubernetes works as it is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.kube.kubectl import Namespace
from tests.kube.lab.place import REPOSITORY
from tests.kube.told import SECRET, Surroundings
from tests.support.reader import Reader

TRUSTING = "tls: {ca_file: ca.pem}"


def kubeconfig(namespace: Namespace) -> str:
    """The lab's, which leads to this namespace."""
    whole = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    for context in whole["contexts"]:
        context["context"]["namespace"] = namespace.name
    return json.dumps(whole)


@pytest.fixture
def home(namespace: Namespace, told: Surroundings, tmp_path: Path) -> Path:
    """A reader's, with a clone of this repository and the way to the cluster."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(kubeconfig(namespace))
    (tmp_path / "ca.pem").write_text(Path(told.ca_file).read_text())
    (tmp_path / "token-sidecar").symlink_to(REPOSITORY)
    return tmp_path


async def test_a_reader_of_the_quick_start_gets_an_answer(
    namespace: Namespace, told: Surroundings, home: Path
) -> None:
    own = {
        "https://login.example.com/realms/main": told.issuer,
        "client_id: reports": f"client_id: reports\n    {TRUSTING}",
        "https://api.example.com/v1/": f"{told.api}/{namespace.name}/\n    {TRUSTING}",
        "files: [config.yaml]": "files: [config.yaml, ca.pem]",
        "registry.example.com/token-sidecar": "localhost/token-sidecar",
        "newTag: 0.1.0": "newTag: test",
        "python:3.11-slim": "localhost/token-sidecar:test",
    }
    async with Reader(home, own, {"CLIENT_SECRET": SECRET}) as reader:
        await reader.follow(REPOSITORY / "docs/quickstart-kubernetes.md")
