"""docs/configuration.md says what the schema and the example file say; docs/comparison.md what was
measured.
"""

from __future__ import annotations

import re

import pytest

from docs.site import costs, reference
from proxy.config.credential_keys import PRESETS

ROW = re.compile(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
PAGE = reference.page()
MEND = "run `make reference`"


def test_the_configuration_reference_is_up_to_date() -> None:
    assert reference.PAGE.read_text() == PAGE, MEND


def test_the_comparison_has_the_figures_of_the_last_bench() -> None:
    assert costs.PAGE.read_text() == costs.page(), MEND


@pytest.mark.parametrize("row", ROW.findall(PAGE), ids=lambda row: row[0])
def test_every_key_has_a_type_a_default_a_meaning_and_an_example(row: tuple[str, ...]) -> None:
    assert all(row), row


def test_every_preset_is_told() -> None:
    _, _, told = PAGE.partition("## Presets")
    assert all(f"| `{name}` |" in told for name in PRESETS)
