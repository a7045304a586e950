from __future__ import annotations

from typing import Any

import pytest

from proxy.control.snapshot import Reloads, SecretStatus
from proxy.control.status import document
from proxy.control.verdict import Level, verdict
from proxy.errors import Explanation
from proxy.tokens.status import LastError
from tests.control.conftest import snapshot, status

SINCE = 1_790_000_000.0
REFUSED = LastError("connect", "https://id.example can't be reached: connection refused", SINCE)
SECRET = LastError(
    "invalid_client",
    "https://id.example answered 401: invalid_client; check client_id",
    SINCE,
    Explanation("wrong_secret", "the secret is wrong", "copy it anew"),
)


def down(name: str, **changed: Any) -> Any:
    usual: dict[str, Any] = {
        "state": "unavailable",
        "expires_in_seconds": 0.0,
        "failing_since": SINCE,
        "last_error": REFUSED,
    }
    return status(name, **usual | changed)


def test_all_is_well_where_nothing_fails_whatever_failed_before() -> None:
    found = verdict(snapshot())
    assert (found.level, found.says, found.troubles) == (Level.WELL, "All is well", ())


def test_a_credential_without_a_token_is_told_with_since_when_and_what_to_do() -> None:
    found = verdict(snapshot(credentials=(status("good"), down("inference"))))
    assert found.level is Level.FAILING
    assert found.says == (
        "inference has no token: https://id.example can't be reached: connection refused"
    )
    assert found.advice == "check the port, and that the server runs"
    assert found.since == SINCE


def test_what_the_provider_means_is_said_in_plain_words_and_its_own_beside_them() -> None:
    found = verdict(snapshot(credentials=(down("inference", state="refused", last_error=SECRET),)))
    assert (found.says, found.advice) == (
        "inference has no token: the secret is wrong",
        "copy it anew",
    )
    assert found.troubles[0].detail == "https://id.example answered 401: invalid_client"


def test_who_fails_alike_is_one_trouble_since_the_first_of_them() -> None:
    many = [down(f"c{number}", failing_since=SINCE + number) for number in range(500)]
    found = verdict(snapshot(credentials=(*reversed(many), down("other", last_error=SECRET))))
    assert [len(one.credentials) for one in found.troubles] == [500, 1]
    assert found.says.startswith("500 credentials have no token: https://id.example")
    assert found.says.endswith(", and 1 more")
    assert found.since == SINCE


def test_a_token_that_lives_on_is_at_risk_and_not_failing() -> None:
    alive = down("inference", state="valid", expires_in_seconds=30.0)
    found = verdict(snapshot(credentials=(alive,)))
    assert found.level is Level.AT_RISK
    assert "can't be renewed, though its token lives" in found.says


def test_a_try_in_flight_does_not_hide_that_there_is_no_token() -> None:
    found = verdict(snapshot(credentials=(down("inference", state="unavailable"),)))
    assert found.level is Level.FAILING


def test_the_worst_comes_first() -> None:
    alive = down("alive", state="valid", last_error=SECRET, failing_since=1.0)
    found = verdict(snapshot(credentials=(alive, down("dead"))))
    assert [one.level for one in found.troubles] == [Level.FAILING, Level.AT_RISK]
    assert found.says.startswith("dead has no token")


def test_the_first_token_is_waited_for_without_alarm() -> None:
    young = status(state="renewing", ready=False, expires_in_seconds=None, last_error=None)
    found = verdict(snapshot(credentials=(young,)))
    assert (found.level, found.says) == (
        Level.STARTING,
        "Starting: inference had no token yet",
    )


def test_one_that_nobody_used_yet_is_well() -> None:
    idle = status(state="empty", required=False, ready=False, last_error=None)
    assert verdict(snapshot(credentials=(idle,))).level is Level.WELL


def test_an_end_is_told_before_everything_else() -> None:
    found = verdict(snapshot(draining=True, credentials=(down("dead"),)))
    assert found.says.startswith("It is on its way out")
    assert found.level is Level.FAILING
    assert verdict(snapshot(draining=True)).level is Level.AT_RISK


@pytest.mark.parametrize(
    ("changed", "badness", "words"),
    [
        ({"serving": False}, Level.FAILING, "No worker runs"),
        (
            {"credentials": (status(store_fault="tokens: no space left"),)},
            Level.AT_RISK,
            "The store can't be used: tokens: no space left",
        ),
    ],
)
def test_the_process_itself_may_be_the_trouble(
    changed: dict[str, Any], badness: Level, words: str
) -> None:
    found = verdict(snapshot(**changed))
    assert (found.level, words in found.says) == (badness, True)


def test_a_configuration_that_was_refused_and_a_secret_that_is_gone_are_troubles() -> None:
    problem = "config.yaml:3:5: unknown key"
    secret = SecretStatus("file /run/secret", "file", ("inference",), fault="it is empty")
    now = snapshot(reloads=Reloads(last_ok=False, problems=(problem,)), secrets=(secret,))
    found = verdict(now)
    assert [one.detail for one in found.troubles] == [problem, "it is empty"]
    assert found.level is Level.AT_RISK
    said = document(now)
    assert said["reloads"]["problems"] == (problem,)
    assert said["secrets"][0]["fault"] == "it is empty"


def test_callers_who_could_not_be_served_put_nobody_else_at_risk() -> None:
    callers = status("exchange", callers=3, state="unavailable", last_error=REFUSED)
    found = verdict(snapshot(credentials=(callers,)))
    assert found.level is Level.AT_RISK
    assert "could not serve every caller" in found.says


def test_the_document_tells_it_with_moments_as_text() -> None:
    said = document(snapshot(credentials=(down("inference"),)))["verdict"]
    assert said["level"] == "failing"
    assert said["since"] == said["troubles"][0]["since"] == "2026-09-21T14:13:20.000+00:00"
    assert said["troubles"][0]["credentials"] == ("inference",)
