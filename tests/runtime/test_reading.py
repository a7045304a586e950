from __future__ import annotations

import sys
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import EnvSecret, PlainSecret
from proxy.errors import ConfigurationError
from proxy.runtime.reading import read_config

FILE = """\
clients:
  notebook: {key: {env: KEY}}
credentials:
  api: {token_url: "https://provider.example.com/token", client_id: x, client_secret: in-the-file}
routes:
  - {path: /, upstream: "http://127.0.0.1:9/", credential: api}
"""


def test_what_the_other_process_reads_is_what_this_one_would(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(FILE)
    environ = {"HOME": str(tmp_path)}
    told = read_config(path, environ)
    assert told == load(path, environ)
    assert isinstance(told.clients["notebook"], EnvSecret)
    secret = told.credentials["api"].client_secret
    assert isinstance(secret, PlainSecret)
    assert secret.value.reveal() == "in-the-file"
    assert told.warnings == load(path, environ).warnings


def test_its_mistakes_are_raised_here(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("lisen: x\nhold: soon\n")
    with pytest.raises(ConfigurationError) as told:
        read_config(path, {})
    assert len(told.value.problems) >= 2
    assert {one.file for one in told.value.problems} == {str(path)}


def test_where_no_process_can_be_started_it_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(FILE)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert read_config(path, {"HOME": "/"}).path == path


def test_a_process_that_dies_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(FILE)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert read_config(path, {"HOME": "/"}).path == path
