"""The Dockerfile; the image itself is built and run by ``make kube``."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.deploy.documents import REPOSITORY

DOCKERFILE = REPOSITORY / "Dockerfile"


def test_hadolint_finds_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    said = subprocess.run([program, DOCKERFILE], check=False, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_all_that_it_copies_is_let_through_to_the_build() -> None:
    let = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines()}
    for line in DOCKERFILE.read_text().splitlines():
        match line.split():
            case ["COPY", *sources, _] if not sources[0].startswith("--"):
                assert set(sources) <= let


def test_it_has_the_extras_that_a_server_may_be_configured_to_use() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    on_a_desk = {"demo", "keyring"}
    assert set(extras.split(",")) == set(project["optional-dependencies"]) - on_a_desk
