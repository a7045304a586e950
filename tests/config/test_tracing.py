from collections.abc import Callable

import pytest

from proxy.config.model import Config, Tracing


@pytest.mark.parametrize("text", ["", "tracing: off", "tracing: false", "tracing: 'off'"])
def test_nothing_is_traced_where_nobody_asks_for_it(
    loaded: Callable[[str], Config], text: str
) -> None:
    assert loaded(text).tracing is None


@pytest.mark.parametrize("text", ["tracing: on", "tracing: true", "tracing: {}"])
def test_what_is_not_said_is_left_to_the_environment(
    loaded: Callable[[str], Config], text: str
) -> None:
    assert loaded(text).tracing == Tracing()


def test_collector_name_and_share_may_be_said(loaded: Callable[[str], Config]) -> None:
    text = "tracing: {endpoint: https://otel.example.com/v1/traces, service: api, sample: 0.1}"
    assert loaded(text).tracing == Tracing("https://otel.example.com/v1/traces", "api", 0.1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tracing: maybe", "1:10: `tracing` must be true or false"),
        ("tracing: {sample: 2}", "1:19: `sample` must be a number from 0 to 1"),
        ("tracing: {sample: half}", "1:19: `sample` must be a number from 0 to 1"),
        ("tracing: {endpoint: otel}", "1:21: `endpoint` must be"),
        ("tracing: {url: http://otel}", "1:11: unknown key `url`"),
    ],
)
def test_what_makes_no_sense_is_told(
    problems: Callable[[str], list[str]], text: str, problem: str
) -> None:
    (told,) = problems(text)
    assert told.startswith(problem)
