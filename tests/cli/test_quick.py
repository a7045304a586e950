"""``token`` is read by hand for speed, and otherwise as every command is: both must agree."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cli import giving
from proxy.cli import main as cli
from proxy.cli.giving import Wanted
from proxy.cli.quick import quick

WORDS = st.sampled_from(
    [
        "api",
        "--header",
        "--json",
        "--min-ttl",
        "--min-ttl=5m",
        "--min-ttl=",
        "5m",
        "nonsense",
        "--config",
        "--config=a.yaml",
        "-c",
        "-ca.yaml",
        "a.yaml",
        "--",
        "--help",
        "--nonsense",
        "-",
        "",
    ]
)


class Asked:
    """Takes the place of what gives a token."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wanted: list[Wanted] = []
        monkeypatch.setattr(giving, "give", self._give)

    def _give(self, wanted: Wanted) -> int:
        self.wanted.append(wanted)
        return 0


@given(words=st.lists(WORDS, max_size=5))
def test_whatever_is_read_by_hand_is_what_the_whole_program_reads(words: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        asked = Asked(patch)
        if quick(["token", *words]) is None:
            assert asked.wanted == []
            return
        assert cli.outcome(["token", *words]) == 0
        by_hand, by_all = asked.wanted
        assert by_hand == by_all


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["api"], Wanted("api")),
        (["api", "--header"], Wanted("api", form="header")),
        (["--json", "api", "-c", "a.yaml"], Wanted("api", "a.yaml", form="json")),
        (["api", "--min-ttl", "5m", "--config=b"], Wanted("api", "b", 300.0)),
    ],
)
def test_the_usual_ways_are_read_by_hand(
    words: list[str], wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    assert quick(["token", *words]) == 0
    assert asked.wanted == [wanted]


@pytest.mark.parametrize("words", [[], ["run"], ["token"], ["token", "a", "b"], ["--help"]])
def test_all_else_is_left_to_the_whole_program(words: list[str]) -> None:
    assert quick(words) is None


def test_what_costs_time_is_not_imported_for_a_token_that_is_there() -> None:
    script = (
        "import sys, proxy.__main__, proxy.cli.quick, proxy.cli.giving, proxy.client.stored,"
        " proxy.client.running, proxy.stores.file.reading, proxy.stores.sealing;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    dear = {"asyncio", "click", "pydantic", "yaml", "aiohttp", "rich", "logging", "traceback"}
    assert dear & set(told) == set()
