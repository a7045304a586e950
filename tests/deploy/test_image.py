"""The Dockerfile; the image itself is built and run by ``make kube``."""

from __future__ import annotations

import subprocess
import sys
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
