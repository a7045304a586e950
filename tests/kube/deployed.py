"""What ``deploy/`` holds, made to run here: only the image, the addresses and the names change.

An overlay of a test lies over one of ``deploy/kubernetes``; the configuration is that overlay's
own with the provider's and the API's addresses put in, and whom to trust about them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.kube.lab.place import REPOSITORY
from tests.kube.told import CLIENT, REDIS_PASSWORD, SECRET, Surroundings

KUBERNETES, CHART = REPOSITORY / "deploy/kubernetes", REPOSITORY / "deploy/helm/token-sidecar"
IMAGE = {"newName": "localhost/token-sidecar", "newTag": "test"}
IMAGES = [{"name": name} | IMAGE for name in ("token-sidecar", "python")]
"""The sidecar's own image has Python for the examples' program."""

SAME_NAME = {"options": {"disableNameSuffixHash": True}}
CONFIGURATION, SECRETS = "token-sidecar-config", "token-sidecar-secrets"
TRUST = {"ca_file": "ca.pem"}


def configuration(
    text: str, told: Surroundings, visitor: str, client: str = CLIENT
) -> dict[str, Any]:
    """A configuration file of ``deploy/`` with our addresses in the place of its examples."""
    whole: dict[str, Any] = yaml.safe_load(text)
    for credential in whole["credentials"].values():
        credential |= {"issuer": told.issuer, "client_id": client, "tls": dict(TRUST)}
    for route in whole["routes"]:
        route |= {"upstream": f"{told.api}/{visitor}/", "tls": dict(TRUST)}
    if "store" in whole:
        whole["store"] |= {"redis": f"rediss://sidecar@{told.redis}/0", "tls": dict(TRUST)}
    return whole


def overlay(
    directory: Path,
    deployed: str,
    told: Surroundings,
    visitor: str,
    *,
    client: str = CLIENT,
    secret: str = SECRET,
    patches: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """A kustomization over ``deploy/kubernetes/…``; its directory.

    Args:
        directory: where it is written.
        deployed: which one, ``base`` or ``overlays/NAME``.
        told: what there is on the node.
        visitor: who it is at the API.
        client: who it is at the provider.
        secret: the client's.
        patches: as in a kustomization, besides.
    """
    directory.mkdir(parents=True, exist_ok=True)
    below = KUBERNETES / deployed
    own = below if (below / "config.yaml").exists() else KUBERNETES / "base"
    whole = configuration((own / "config.yaml").read_text(), told, visitor, client)
    (directory / "config.yaml").write_text(yaml.safe_dump(whole))
    (directory / "ca.pem").write_text(Path(told.ca_file).read_text())
    secrets = {"client-secret": secret, "redis-password": REDIS_PASSWORD, "store-key": KEY}
    for name, value in secrets.items():
        (directory / name).write_text(value)
    kustomization = {
        "resources": [os.path.relpath(below, directory.resolve())],
        "images": IMAGES,
        "configMapGenerator": [
            {"name": CONFIGURATION, "behavior": "replace", "files": ["config.yaml", "ca.pem"]}
            | SAME_NAME
        ],
        "secretGenerator": [{"name": SECRETS, "files": sorted(secrets)} | SAME_NAME],
        "patches": list(patches),
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return directory


KEY = "bGFiIGxhYiBsYWIgbGFiIGxhYiBsYWIgbGFiIGxhYiE="
"""32 bytes for what lies in the shared store."""
