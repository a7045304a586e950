from __future__ import annotations

import math
from typing import Any

import pytest

from proxy.cli.panel.lately import Lately, quantile


def look(
    requests: int, latency: dict[str, int] | None = None, errors: dict[str, int] | None = None
) -> dict[str, Any]:
    route = {"requests": {"200": requests}, "latency": latency or {}, "errors": errors or {}}
    meanings = {"client_gone": {"client": True}, "dns_error": {"client": False}}
    return {"routes": {"/a/": route}, "error_meanings": meanings}


def test_the_first_look_says_nothing_of_how_busy_it_is() -> None:
    lately = Lately()
    lately.learn(look(1_000_000, {"0.001": 1_000_000}), 0.0)
    assert lately.rate("/a/") == 0
    assert lately.quantile(0.5, "/a/") is None


def test_rates_are_differences_over_the_time_that_passed() -> None:
    lately = Lately()
    for second, requests in ((0, 0), (1, 10), (3, 50)):
        lately.learn(look(requests), float(second))
    assert lately.rate("/a/") == pytest.approx(50 / 3)
    assert lately.rates("/a/") == [10, 20]


def test_times_are_those_of_the_last_ten_seconds() -> None:
    lately = Lately()
    lately.learn(look(0), 0.0)
    lately.learn(look(100, {"60": 100}), 1.0)
    lately.learn(look(200, {"60": 100, "0.005": 99, "+Inf": 1}), 12.0)
    assert lately.quantile(0.5, "/a/") == pytest.approx(0.0025 + 0.0025 * 50 / 99)
    assert lately.quantile(1.0, "/a/") == math.inf


def test_what_failed_is_forgotten_after_a_minute_and_the_clients_own_doing_at_once() -> None:
    lately = Lately()
    lately.learn(look(0), 0.0)
    lately.learn(look(9, errors={"dns_error": 2, "client_gone": 7}), 1.0)
    assert lately.failed("/a/") == 2
    lately.learn(look(9, errors={"dns_error": 2, "client_gone": 7}), 62.0)
    assert lately.failed("/a/") == 0


def test_a_sidecar_that_began_anew_counts_from_there() -> None:
    lately = Lately()
    lately.learn(look(1000), 0.0)
    lately.learn(look(5), 1.0)
    assert lately.rate("/a/") == 0
    lately.learn(look(8), 2.0)
    assert lately.rates("/a/") == [0, 3]


def test_a_route_that_is_gone_is_forgotten() -> None:
    lately = Lately()
    lately.learn(look(0), 0.0)
    lately.learn(look(5), 1.0)
    lately.learn({"routes": {}}, 2.0)
    assert list(lately.labels()) == []
    assert lately.rate("/a/") == 0


@pytest.mark.parametrize(
    ("wanted", "counts", "found"),
    [
        (0.5, {0.001: 10}, 0.0005),
        (0.5, {0.01: 1, 0.025: 1}, 0.01),
        (0.99, {0.01: 98, 60.0: 2}, 45.0),
        (0.5, {}, None),
        (0.5, {math.inf: 1}, math.inf),
    ],
)
def test_quantiles_lie_on_straight_lines_inside_the_buckets(
    wanted: float, counts: dict[float, int], found: float | None
) -> None:
    assert quantile(wanted, counts) == (None if found is None else pytest.approx(found))
