"""The Helm chart: what it refuses and with which words, what replaces pods, what its page says."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.documents import CHART, VALUES, Document, lint, rendered, templates
from tests.deploy.restricted import violations

GOOD = VALUES / "deployment.yaml"
BROKEN = {
    "workload: {kind: deployment}": 'workload.kind must be one of the following: "none"',
    "workload: {replicas: '2'}": "workload.replicas: Invalid type. Expected: integer",
    "workload: {kind: CronJob, schedule: nightly}": "workload.schedule: Does not match pattern",
    "workload: {kind: CronJob}": 'workload.schedule: say when, such as "0 3 * * *"',
    "replicaCount: 3": "Additional property replicaCount is not allowed",
    "main: {image: python:3.11}": "main.image: Invalid type. Expected: object, given: string",
    "main: {image: {repository: 'python:3.11'}}": "main.image.repository: Does not match pattern",
    "main: {image: {repository: ''}}": "main.image.repository: name the image of your program",
    "main: {image: {tag: 3.11}}": "main.image.tag: Invalid type. Expected: string, given: number",
    "main: {ports: [8000]}": "main.ports.0: Invalid type. Expected: object, given: integer",
    "main: {env: [{name: A, value: 5}]}": "main.env.0.value: Invalid type. Expected: string",
    "main: {env: [{value: a}]}": "main.env.0: name is required",
    "main: {command: python}": "main.command: Invalid type. Expected: array, given: string",
    "env: {A: b}": "env: Invalid type. Expected: array, given: object",
    "secret: mine": "secret: Invalid type. Expected: object, given: string",
    "secret: {name: ''}": "secret.name: String length must be greater than or equal to 1",
    "secret: {clientSecret: hush}": "secret: Additional property clientSecret is not allowed",
    "variant: sidecar": 'variant must be one of the following: "native", "plain"',
    "{variant: plain, workload: {kind: Job}}": "a Job's pod never completes",
    "identity: {enabled: true}": "identity.audience: name the realm's address",
    "identity: {expirationSeconds: 60}": "Must be greater than or equal to 600",
    "resources: {limit: {memory: 64Mi}}": "resources: Additional property limit is not allowed",
    "resources: {requests: {cpus: 20m}}": 'resources.requests: Property name of "cpus" does not',
    "runAsUser: 0": "runAsUser: Must be greater than or equal to 1",
    "metricsPort: 90900": "metricsPort: Must be less than or equal to 65535",
    "service: {enabled: true}": "service.enabled: name a port of your program in main.ports",
    "podMonitor: {interval: 30}": "podMonitor.interval: Invalid type. Expected: string",
    "files: {config.yaml: ''}": "files",
    "config: 'routes: []'": "config: Invalid type. Expected: object, given: string",
    "config: {metrics: 'off'}": "config: Additional property metrics is not allowed",
    "config: {rotues: []}": "config: Additional property rotues is not allowed",
    "config: {workers: two}": "config.workers: Invalid type. Expected: integer, given: string",
    "config: {routes: [{path: /}]}": "config.routes.0: upstream is required",
    "config: {credentials: {api: {client_secrt: {file: x}}}}": (
        "config.credentials.api: Additional property client_secrt is not allowed"
    ),
    "config: {credentials: {api: {client_secret: 5}}}": "config.credentials.api.client_secret",
}


@pytest.fixture
def values(tmp_path: Path) -> Path:
    return tmp_path / "values.yaml"


def template(values: Path, text: str) -> Document:
    values.write_text(text)
    found = [one for one in yaml.safe_load_all(rendered((GOOD, values))) if one]
    return next(one for label, one in templates(found) if not label.startswith("Pod/"))


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_is_refused_with_its_place_and_what_would_be_right(
    mistake: str, values: Path
) -> None:
    values.write_text(mistake)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        rendered((GOOD, values))
    assert BROKEN[mistake] in refused.value.stderr


def test_a_cluster_that_would_wait_for_ever_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        rendered((GOOD,), "1.28.0")
    assert "say `variant: plain`" in refused.value.stderr


def test_without_values_there_is_nothing_but_what_other_charts_include() -> None:
    assert not [one for one in yaml.safe_load_all(rendered(())) if one]


@pytest.mark.parametrize(
    "change", ["config: {hold: 20s}", "config: {credentials: {more: {token_url: https://x/}}}"]
)
def test_a_change_that_a_running_sidecar_takes_up_replaces_no_pod(
    change: str, values: Path
) -> None:
    assert template(values, change) == template(values, "{}")


@pytest.mark.parametrize("change", ["config: {workers: 2}", "image: {tag: '0.2'}"])
def test_a_change_that_it_can_not_take_up_replaces_pods(change: str, values: Path) -> None:
    assert template(values, change) != template(values, "{}")


def test_what_you_configure_comes_before_what_the_chart_says(values: Path) -> None:
    values.write_text("config: {drain: {delay: 9s}, log: {level: debug}}")
    found = [one for one in yaml.safe_load_all(rendered((GOOD, values))) if one]
    (map_,) = (one for one in found if one["kind"] == "ConfigMap")
    told = yaml.safe_load(map_["data"]["config.yaml"])
    assert told["drain"] == {"delay": "9s", "grace": "30s"}
    assert told["log"] == {"format": "json", "level": "debug"}


def test_a_cluster_may_give_the_pod_its_user(values: Path) -> None:
    spec = template(values, "runAsUser: null\npod: {securityContext: {runAsUser: null}}")["spec"]
    assert "runAsUser" not in json.dumps(spec)
    assert not violations(spec)


def test_nobody_is_let_to_the_metrics_where_nobody_is_named(values: Path) -> None:
    values.write_text("networkPolicy: {enabled: true, metricsFrom: []}")
    found = [one for one in yaml.safe_load_all(rendered((GOOD, values))) if one]
    (policy,) = (one for one in found if one["kind"] == "NetworkPolicy")
    assert not policy["spec"]["ingress"]


def test_a_map_of_your_own_needs_no_configuration(values: Path) -> None:
    assert "name: mine" in yaml.safe_dump(
        template(values, "{config: null, existingConfigMap: mine}")
    )


def test_helm_finds_nothing_to_say() -> None:
    said = lint(GOOD)
    assert not [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line], said


def test_the_schema_knows_todays_configuration() -> None:
    script = runpy.run_path(str(CHART.parent / "configuration_schema.py"))
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema == script["completed"](schema), "make chart-schema"


def test_the_schema_has_every_value_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    given = yaml.safe_load((CHART / "values.yaml").read_text())
    unread = {"global", "enabled"}  # Helm's own, and a parent chart's
    assert set(_paths(given)) == set(_known(schema, schema)) - unread


def test_the_readme_lists_every_value_with_its_default() -> None:
    given = dict(_leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
    rows = re.findall(
        r"^\| `([\w.]+)` \| `(.*?)` \|", (CHART / "README.md").read_text(), re.MULTILINE
    )
    assert {key: yaml.safe_load(value) for key, value in rows} == given


def _paths(tree: Any, trail: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield trail + key
        if isinstance(value, dict) and trail + key not in FREE:
            yield from _paths(value, f"{trail}{key}.")


FREE = {
    "config",
    "main.securityContext",
    "pod.securityContext",
    "resources.requests",
    "resources.limits",
}
"""Where Kubernetes' or the sidecar's own keys begin."""


def _known(schema: Any, whole: Any, trail: str = "") -> Iterator[str]:
    for key, one in schema["properties"].items():
        yield trail + key
        if "$ref" in one and trail + key == "resources":
            yield from ("resources.requests", "resources.limits")
        elif "properties" in one:
            yield from _known(one, whole, f"{trail}{key}.")


def _leaves(tree: Any, trail: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value and trail + key not in LEAVES:
            yield from _leaves(value, f"{trail}{key}.")
        else:
            yield trail + key, value


LEAVES = {"resources", "main.securityContext", "pod.securityContext"}
