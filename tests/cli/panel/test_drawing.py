from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from proxy.cli.panel.drawing import draw
from proxy.cli.panel.lately import Lately
from proxy.cli.panel.view import View
from proxy.cli.panel.words import clean, span, taken
from proxy.control.snapshot import Snapshot
from proxy.control.status import document
from tests.control.conftest import snapshot, status, totals

NOW = 1_790_000_100.0


def looked(now: Snapshot, later: Snapshot | None = None) -> tuple[dict[str, Any], Lately]:
    lately = Lately()
    said = json.loads(json.dumps(document(now)))
    lately.learn(said, 0.0)
    if later is not None:
        said = json.loads(json.dumps(document(later)))
        lately.learn(said, 1.0)
    return said, lately


def drawn(now: Snapshot, later: Snapshot | None = None, *, width: int = 160, **view: Any) -> str:
    said, lately = looked(now, later)
    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True)
    console.print(draw(View(said, lately, NOW, width=width, **view)))
    return stream.getvalue()


def failing(name: str) -> Any:
    return status(name, state="unavailable", expires_in_seconds=0.0, failing_since=1_790_000_000.25)


def test_it_says_first_what_is_wrong_since_when_and_what_to_do() -> None:
    text = drawn(snapshot(credentials=(status("good"), failing("bad"))))
    first, verdict, since, advice = text.splitlines()[:4]
    assert first.startswith("token-sidecar 1.2.3  /etc/token-sidecar/config.yaml  running for ")
    assert verdict.rstrip() == "✕ bad has no token: it did not answer within 10 s."
    assert "for 1 min 40 s." in since
    assert advice.strip().startswith("What to do: a firewall may swallow it")
    assert text.index("\nbad ") < text.index("\ngood ")


def test_where_all_is_well_it_says_so_and_shows_the_tokens_age() -> None:
    text = drawn(snapshot(warnings=()))
    assert "✓ All is well." in text
    assert "━━━─────── 42 s" in text
    assert "in 22 s" in text


def test_a_token_that_is_over_has_no_age_and_one_without_end_does_not_expire() -> None:
    fixed = status("fixed", lifetime_seconds=None, expires_in_seconds=None)
    lines = drawn(snapshot(credentials=(failing("bad"), fixed))).splitlines()
    (bad,) = [line for line in lines if line.startswith("bad ")]
    (fixed_line,) = [line for line in lines if line.startswith("fixed ")]
    assert re.search(r"no token +– ", bad)
    assert "does not expire" in fixed_line


def test_time_passes_between_two_looks() -> None:
    text = drawn(snapshot(), aged=20.0)
    assert "━━━━━━──── 22 s" in text
    assert "in 2 s" in text


def test_routes_that_failed_are_a_trouble_with_what_it_means() -> None:
    before = snapshot(routes={"/infer/": totals()})
    sums = totals()
    for _ in range(3):
        sums.requests[502] = sums.requests.get(502, 0) + 1
        sums.errors["connection_refused"] = sums.errors.get("connection_refused", 0) + 1
        sums.buckets[3] += 1
    text = drawn(before, snapshot(routes={"/infer/": sums}))
    assert "3 requests failed here within a minute, on /infer/: the API refuses" in text
    assert "3.0/s" in text
    assert "7.5 ms" in text


def test_who_is_gone_is_told_and_what_follows_is_from_then() -> None:
    text = drawn(snapshot(), lost=NOW - 61)
    assert "Not connected since " in text
    assert "for 1 min 1 s. What follows is from then." in text


@pytest.mark.parametrize("lines", [12, 24, 50])
def test_there_is_always_room(lines: int) -> None:
    many = snapshot(
        credentials=tuple(failing(f"c{number:03}") for number in range(500)),
        routes={f"/r{number:04}/": totals() for number in range(1000)},
    )
    text = drawn(many, width=80, room=lines)
    assert len(text.splitlines()) <= max(lines, 16)
    assert "more, no worse than these" in text


def test_nothing_that_others_wrote_moves_the_terminal() -> None:
    evil = "a\x1b]0;owned\x07\x1b[2J[bold]b\r\n"
    text = drawn(
        snapshot(credentials=(status(evil),), routes={evil: totals()}, warnings=(evil,)), width=200
    )
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]b" in text


def test_a_terminal_that_knows_ascii_alone_gets_no_more() -> None:
    text = drawn(snapshot(), ascii=True)
    assert "+ All is well." in text
    assert "###-------" in text


def test_words() -> None:
    assert [span(one) for one in (0, 59.4, 61, 3700, 90_000)] == [
        *("0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"),
    ]
    assert [taken(one) for one in (None, 0.0042, 0.25, 2.0, float("inf"))] == [
        *("–", "4.2 ms", "250 ms", "2.0 s", "> 60 s"),
    ]
    assert clean("a\tb\x00ü") == "a�b�ü"
