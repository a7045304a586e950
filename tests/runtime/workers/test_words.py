from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.plane.totals import AccessRecord, RouteTotals
from proxy.runtime.workers import words
from proxy.runtime.workers.sums import added, answered, ended
from proxy.tokens.lease import Lease
from proxy.tokens.policy import ENDLESS, OVER, Schedule
from proxy.tokens.session import Session
from proxy.tokens.terms import Terms

SECONDS = st.floats(allow_nan=False)
MOMENTS = st.builds(Moment, SECONDS, SECONDS)
SCHEDULES = (
    st.just(ENDLESS) | st.just(OVER) | st.builds(Schedule, MOMENTS, MOMENTS, MOMENTS, MOMENTS)
)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
SESSIONS = st.builds(Session, st.frozensets(VALUES, min_size=1), st.frozensets(VALUES))
LEASES = st.builds(Lease, st.integers(1), VALUES.map(str.encode), st.text(), st.none() | SESSIONS)


def through(told: object) -> object:
    """What the other process reads."""
    return json.loads(json.dumps(told))


@given(st.builds(Terms, st.none() | LEASES, SCHEDULES, st.booleans()))
def test_terms_come_out_as_they_went_in(terms: Terms) -> None:
    assert words.terms(through(words.of_terms(terms))) == terms  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        CredentialUnavailable("not yet", credential="api", retry_after=None),
        CredentialUnavailable("not yet", credential="api", retry_after=1.5),
        CredentialRefused("no", credential="api", retry_after=300.0, error="invalid_client"),
        CredentialRefused("no", credential="api", retry_after=None, error=None),
    ],
)
def test_a_failure_keeps_its_class_and_everything_it_says(error: CredentialUnavailable) -> None:
    heard = words.failure(through(words.of_failure(error)))  # type: ignore[arg-type]
    assert type(heard) is type(error)
    assert (str(heard), vars(heard)) == (str(error), vars(error))


def counted(*statuses: int, in_flight: int = 0) -> RouteTotals:
    totals = RouteTotals()
    totals.in_flight = in_flight
    for status in statuses:
        record = AccessRecord("GET", "/", status, 3, 5, 0.02)
        record.error = "client_gone" if status == 0 else None
        record.replayed = status == 201
        totals.add(record)
        totals.refuse("client_key")
        totals.waited(0.25)
    totals.waiting = in_flight
    return totals


def shown(totals: RouteTotals) -> dict[str, object]:
    return {name: getattr(totals, name) for name in RouteTotals.__slots__}


def test_totals_come_out_as_they_went_in() -> None:
    totals = counted(200, 200, 201, 0, in_flight=2)
    assert shown(words.totals(through(words.of_totals(totals)))) == shown(totals)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"buckets": [1]},
        {"wait_buckets": [1]},
        {"refusals": None},
        {"seconds": "soon"},
        {"requests": {"x": 1}},
        {"errors": None},
    ],
)
def test_totals_that_make_no_sense_are_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        words.totals({**words.of_totals(counted(200)), **spoilt})


def test_totals_of_several_processes_are_summed_route_by_route() -> None:
    whole = added([{"/a/": counted(200, 500)}, {"/a/": counted(200, 0), "/b/": counted(204)}, {}])
    assert shown(whole["/a/"]) == shown(counted(200, 500, 200, 0))
    assert shown(whole["/b/"]) == shown(counted(204))
    assert answered(whole) == 5


def test_a_process_that_is_gone_has_nothing_in_flight_but_keeps_its_counts() -> None:
    last = {"/": counted(200, in_flight=3)}
    assert shown(ended(last)["/"]) == shown(counted(200))
    assert last["/"].in_flight == 3
