from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from proxy.cli.questions import Questions


@click.command()
def asked() -> None:
    click.echo(Questions().choice("what to start from", ("seldon", "runai"), "--preset"))


@pytest.mark.parametrize("said", ["2", "runai", "0\n3\nrunnai\n\n2"])
def test_a_choice_is_made_by_number_or_name_and_asked_again_until_then(said: str) -> None:
    result = CliRunner().invoke(asked, input=f"{said}\n")
    assert result.stdout == "runai\n"
    assert "What to start from:\n  1  seldon\n  2  runai\n" in result.stderr
    wrong = len(said.split()) - 1
    assert result.stderr.count("Error: give a number from 1 to 2, or a name\n") == wrong
