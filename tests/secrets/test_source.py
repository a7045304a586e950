from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.config.model import (
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    PlainSecret,
    Position,
    SecretReference,
)
from proxy.errors import SecretError
from proxy.secret import Secret
from proxy.secrets.references import source
from proxy.secrets.source import EnvSource, PlainSource

AT = Position("c.yaml", 1, 1)


def test_a_variable_is_read_each_time() -> None:
    environ = {"TOKEN": "one"}
    reading = EnvSource("TOKEN", environ)
    assert reading.read().reveal() == "one"
    environ["TOKEN"] = "two"
    assert reading.read().reveal() == "two"
    assert reading.warnings() == ()


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(SecretError, match="environment variable TOKEN is not set"):
        EnvSource("TOKEN", {}).read()


def test_an_empty_variable_is_no_secret() -> None:
    with pytest.raises(SecretError, match="environment variable TOKEN is empty"):
        EnvSource("TOKEN", {"TOKEN": ""}).read()


def test_a_variable_that_is_not_utf8_is_no_secret() -> None:
    value = os.fsdecode(b"canary\xff")
    with pytest.raises(SecretError, match="environment variable TOKEN is not UTF-8") as caught:
        EnvSource("TOKEN", {"TOKEN": value}).read()
    assert "canary" not in str(caught.value)


def test_a_plain_secret_is_what_it_is_unless_empty() -> None:
    assert PlainSource(Secret("x")).read().reveal() == "x"
    assert PlainSource(Secret("x")).warnings() == ()
    with pytest.raises(SecretError, match="is empty"):
        PlainSource(Secret("")).read()


def test_each_reference_leads_to_its_source(tmp_path: Path) -> None:
    file, csv = tmp_path / "secret", tmp_path / "client.csv"
    file.write_text("of-file\n")
    csv.write_text("client_id,client_secret\nme,of-csv\n")
    references: list[tuple[SecretReference, str]] = [
        (EnvSecret("TOKEN", AT), "of-env"),
        (FileSecret(file, AT), "of-file"),
        (CredentialsFileSecret(csv, AT), "of-csv"),
        (PlainSecret(Secret("of-config"), AT), "of-config"),
    ]
    for reference, value in references:
        assert source(reference, {"TOKEN": "of-env"}).read().reveal() == value


def test_a_credentials_file_without_a_secret_is_explained(tmp_path: Path) -> None:
    csv = tmp_path / "client.csv"
    csv.write_text("client_id,token_url\ncanary,https://id.example/token\n")
    with pytest.raises(SecretError, match="has no client_secret") as caught:
        source(CredentialsFileSecret(csv, AT), {}).read()
    assert "canary" not in str(caught.value)
