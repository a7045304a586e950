"""What travels beside the body: trailers, 100 Continue and 103 Early Hints, as clients show it."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.programs.body import checksum, pattern
from tests.programs.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def go(lab: Lab) -> dict[str, Any]:
    return await lab.report(lab.programs["go-client"], f"http://{lab.base}/api/v1/", "beside")


async def curl(lab: Lab, path: str, *options: str, body: bytes = b"") -> tuple[list[str], str]:
    """Every line of every head that curl saw, trailers among them, and its log."""
    url = f"http://{lab.base}/api/v1/{path}"
    heads, log = lab.home / "heads", lab.home / "log"
    written = ("--dump-header", str(heads), "--trace-ascii", str(log), "--output", "/dev/null")
    await lab.run(lab.programs["curl"], "--silent", *written, *options, url, stdin=body)
    return heads.read_text().splitlines(), log.read_text()


async def test_go_sends_and_receives_trailers(go: dict[str, Any]) -> None:
    assert go["trailers"] == [checksum(1000), checksum(1000), "behind the body"]


async def test_go_sees_early_hints(go: dict[str, Any]) -> None:
    assert go["hints"] == [103, "</style.css>; rel=preload", "hinted"]


async def test_go_waits_for_the_upstream_to_say_continue(go: dict[str, Any]) -> None:
    assert go["expected"] == [True, checksum(65536)]


async def test_curl_receives_trailers(lab: Lab) -> None:
    lines, _ = await curl(lab, "trailers", "--data-binary", "@-", body=pattern(1000))
    assert f"X-Checksum: {checksum(1000)}" in lines[lines.index("") :]


async def test_curl_sees_early_hints(lab: Lab) -> None:
    lines, _ = await curl(lab, "hints")
    assert lines[:2] == ["HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload"]
    assert "HTTP/1.1 200 OK" in lines


async def test_curl_sends_a_big_body_once_the_upstream_says_continue(lab: Lab) -> None:
    body = pattern(2 << 20)
    lines, log = await curl(lab, "echo", "--data-binary", "@-", body=body)
    assert lines[0] == "HTTP/1.1 100 Continue"
    assert f"X-Sha256: {checksum(2 << 20)}" in lines
    assert "Done waiting for 100-continue" not in log
