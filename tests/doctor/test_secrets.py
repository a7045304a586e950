"""What is odd about a secret is told, the secret itself never."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.model import CommandSecret, Credential, EnvSecret, FileSecret, Position
from proxy.doctor.finding import Kind, State
from proxy.doctor.secrets import look, oddities

AT = Position("c.yaml", 1, 1)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("canary ", "blanks"),
        ("\tcanary", "blanks"),
        ("canary\n", "line break"),
        ("can\r\nary", "line break"),
        ('"canary"', "quotes"),
        ("“canary”", "quotes"),
        ("\ufeffcanary", "byte order mark"),
        ("canary%2Fmore", "%-escapes"),
        ("can\x00ary", "control"),
        ("<canary>", "placeholder"),
        ("${CANARY}", "placeholder"),
        ("changeme", "placeholder"),
        ("  ", "nothing but blanks"),
    ],
)
def test_what_does_not_belong_to_a_secret_is_named(value: str, word: str) -> None:
    said = ", ".join(oddities(value))
    assert word in said
    assert "canary" not in said.lower()


@pytest.mark.parametrize("value", ["plain", "a%b", "p4ss w0rd", "é", "x'y", "abc+123/=%&:é"])
def test_a_strange_but_good_secret_is_left_alone(value: str) -> None:
    assert oddities(value) == ()


def credential(reference: EnvSecret | FileSecret) -> Credential:
    return Credential("api", AT, client_secret=reference)


def test_its_place_and_length_are_told() -> None:
    (found,) = look(credential(EnvSecret("SECRET", AT)), {"SECRET": "canary-value"})
    assert found.state is State.GOOD
    assert found.told == "client_secret in environment variable SECRET: 12 characters"


def test_one_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    for reference in (EnvSecret("SECRET", AT), FileSecret(tmp_path / "absent", AT)):
        (found,) = look(credential(reference), {})
        assert (found.kind, found.cause) == (Kind.CONFIGURATION, "secret_missing")


def test_a_file_that_everybody_may_read_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("canary-value\n")
    file.chmod(0o644)
    (found,) = look(credential(FileSecret(file, AT)), {})
    assert found.state is State.NOTE
    assert "chmod o-r" in found.told


def test_a_place_that_does_not_answer_is_no_mistake_of_the_configuration() -> None:
    failing = CommandSecret(("sh", "-c", "echo canary; exit 1"), AT)
    (found,) = look(Credential("api", AT, client_secret=failing), {"PATH": "/usr/bin:/bin"})
    assert (found.kind, found.cause) == (Kind.UNREACHABLE, "secret_unavailable")
    assert "the command sh ended with 1" in found.told
    assert found.advice == "run it by hand to see why"
