"""Kubernetes' own schemas, read once for all documents; strict: no key that they do not know."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from kubernetes_validate import utils
from packaging.version import Version
from referencing import Registry, Resource

OLDEST = Version("1.29")


def versions() -> list[str]:
    """Every version from 1.29 on that there are schemas of."""
    return [one for one in utils.all_versions() if Version(one) >= OLDEST]


def faults(document: dict[str, Any], version: str) -> list[str]:
    """What is wrong with it in this version of Kubernetes; empty where nothing is."""
    if document["apiVersion"].startswith("monitoring.coreos.com/"):
        checked = _defined(document["kind"])
    else:
        checked = _validator(document["apiVersion"], document["kind"], version)
    return [f"{one.json_path}: {one.message}" for one in checked.iter_errors(document)]


@functools.cache
def _validator(api_version: str, kind: str, version: str) -> Validator:
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    folder = f"kubernetes-json-schema/v{version}-local-strict"
    schema = utils.schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    return Draft202012Validator(schema, registry=_definitions(version))


@functools.cache
def _definitions(version: str) -> Registry[Any]:
    file = f"kubernetes-json-schema/v{version}-local-strict/_definitions.json"
    resource: Resource[Any] = Resource.from_contents(utils.schema_contents(file, version))
    return resource @ Registry()


@functools.cache
def _defined(kind: str) -> Validator:
    """The Prometheus operator's definition; its keys are all there are."""
    file = Path(os.environ["OPERATOR_CRDS"]) / f"{kind.lower()}s.yaml"
    definition = yaml.safe_load(file.read_text())
    (version,) = definition["spec"]["versions"]
    return Draft202012Validator(_closed(version["schema"]["openAPIV3Schema"]))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(one) for key, one in schema.items()}
    if isinstance(closed.get("properties"), dict) and "metadata" not in closed["properties"]:
        closed.setdefault("additionalProperties", False)
    return closed
