"""The verdict: one broken promise is enough, and the summary tells what was counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.demo.legacy import KINDS, Result
from proxy.demo.observe import Held, Ledger
from proxy.demo.report import Report
from proxy.demo.setting import BY_HAND, CLIENT, USER
from proxy.demo.verdict import ByHand, Outcome, failures, summary


def report(*more: Result) -> Report:
    one = Report()
    for kind in KINDS:
        one.add(Result(kind, 200, sent=10, received=10, seconds=2.0, spread=1.9))
    for result in more:
        one.add(result)
    return one


def held(name: str = "inference", tokens: int = 6, **more) -> Held:
    return Held(name, "valid", tokens, **more)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(
        issued={CLIENT: 6, USER: 7, BY_HAND: 1},
        accepted={CLIENT: 3, USER: 1, BY_HAND: 1},
        refused={"missing": 4, "expired": 1},
        tokens={CLIENT: 5, USER: 3, BY_HAND: 1},
        least={CLIENT: 1.75, USER: 2.5, BY_HAND: 0.1},
    )


@pytest.fixture
def good(ledger) -> Outcome:
    return Outcome(
        lifetime=6,
        seconds=20.0,
        direct=dict.fromkeys(KINDS, 401),
        report=report(),
        held=(held("inference"), held("mlops", 7)),
        by_hand=ByHand(200, 401, 6.2),
        ledger=ledger,
    )


def only(outcome: Outcome) -> str:
    """The one failure, where the API counted as many requests as the program."""
    (reason,) = failures(agreed(outcome))
    return reason


def agreed(outcome: Outcome) -> Outcome:
    accepted = {CLIENT: outcome.report.total.ok}
    return replace(outcome, ledger=replace(outcome.ledger, accepted=accepted))


def test_a_request_that_reached_the_api_twice_fails(good, ledger):
    twice = replace(ledger, accepted={CLIENT: 4, USER: 1})
    (reason,) = failures(replace(good, ledger=twice))
    assert reason == "the API accepted 5 requests, the program had 4 answered"


def test_a_run_without_blemish_passes(good):
    assert failures(good) == []


def test_one_401_to_the_program_fails(good):
    outcome = replace(good, report=report(Result("chat", 401, fault="no token")))
    assert only(outcome) == "chat: status 401: no token"


def test_one_answer_that_is_not_200_fails(good):
    assert "status 502" in only(replace(good, report=report(Result("arrow", 502))))


def test_one_wrong_answer_fails(good):
    outcome = replace(good, report=report(Result("upload", 200, fault="the SHA-256 differs")))
    assert "SHA-256" in only(outcome)


def test_a_401_that_only_the_api_saw_fails_too(good, ledger):
    outcome = replace(good, ledger=replace(ledger, refused={"missing": 4, "expired": 2}))
    assert only(outcome) == "the API said 401 to 1 of the sidecar's requests"


def test_many_faults_are_told_by_the_first_few_and_a_count(good):
    said = failures(replace(good, report=report(*[Result("records", 0, fault="cut")] * 30)))
    assert len(said) == 6
    assert said[-1] == "and 25 more of the 34 requests"


@pytest.mark.parametrize("status", [0, 200, 403])
def test_an_api_that_needs_no_token_proves_nothing(good, ledger, status):
    outcome = replace(
        good,
        direct={**good.direct, "chat": status},
        ledger=replace(ledger, refused={"missing": 3, "expired": 1}),
    )
    assert "without the sidecar" in only(outcome)


def test_a_token_that_does_not_expire_proves_nothing(good, ledger):
    outcome = replace(
        good, by_hand=ByHand(200, 200, 6.2), ledger=replace(ledger, refused={"missing": 4})
    )
    assert "by hand" in only(outcome)


def test_fewer_than_three_renewals_fail_and_the_last_error_is_told(good):
    outcome = replace(good, held=(held("inference", 3, error="timeout"), held("mlops")))
    assert only(outcome) == "inference: 2 renewals, at least 3 expected: timeout"


def test_more_tokens_than_the_policy_allows_fail(good, ledger):
    assert good.most == 8
    outcome = replace(good, ledger=replace(ledger, issued={CLIENT: 9, USER: 8}))
    assert only(outcome) == "inference: 9 tokens fetched, at most 8 expected"


def test_a_kind_of_work_that_never_happened_fails(good):
    one = Report()
    for kind in KINDS[:-1]:
        one.add(Result(kind, 200, seconds=2.0, spread=1.9))
    assert only(replace(good, report=one)) == "upload: the program made no request"


def test_a_stream_that_arrives_in_one_piece_fails(good):
    one = Report()
    for kind in KINDS:
        one.add(Result(kind, 200, seconds=2.0, spread=0.1))
    assert "in one piece" in only(replace(good, report=one))


def test_a_sidecar_that_ends_badly_or_tells_nothing_fails(good):
    assert "code 3" in only(replace(good, exit_code=3))
    assert "no credential" in only(replace(good, held=()))


def test_a_sidecar_that_is_kept_has_no_exit_code(good):
    assert failures(replace(good, exit_code=None)) == []


def test_the_summary_tells_what_was_counted(good):
    said = " ".join(summary(good))
    for words in (
        "4 requests, 4 x 200, 0 x 401",
        "401 for each of the 4 kinds",
        "200 at first, and 401 after 6.2 s",
        "13 tokens of 6 s",
        f"6 for {CLIENT}, 7 for {USER}",
        "8 different tokens from it, none with less than 1.8 s to live",
    ):
        assert words in said
