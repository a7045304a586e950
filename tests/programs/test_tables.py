"""Arrow files from roapi, a server of tables, through the sidecar."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.programs.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROWS = 50_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(lab: Lab) -> dict[str, Any]:
    command = lab.programs.script("clients", "tables.py")
    return await lab.report(*command, f"http://{lab.base}/tables/api/", lab.whoami, str(lab.table))


async def test_a_table_comes_as_an_arrow_file_with_every_row(told: dict[str, Any]) -> None:
    assert (told["status"], told["type"]) == (200, "application/vnd.apache.arrow.file")
    assert (told["same"], told["rows"]) == (True, ROWS)


async def test_a_query_string_chooses_rows(told: dict[str, Any]) -> None:
    last = range(ROWS - 1, ROWS - 4, -1)
    assert told["chosen"] == [{"id": one, "price": one / 2} for one in last]


async def test_a_posted_query_is_answered(told: dict[str, Any]) -> None:
    assert told["sums"] == [{"many": ROWS, "total": ROWS * (ROWS - 1) / 4}]


async def test_every_file_is_right_while_three_tokens_come_and_go(
    told: dict[str, Any], lab: Lab
) -> None:
    assert told["many"]["right"] == told["many"]["requests"] >= 20
    assert len(told["many"]["used"]) == 3
    assert lab.gates["tables"].refused == []
    assert len(lab.gates["tables"].tokens) >= 2
