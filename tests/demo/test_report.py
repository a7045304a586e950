"""The old program's lines and their sums."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from proxy.demo.legacy import Result
from proxy.demo.report import Report, ReportError, parse


def result(status: int = 200, kind: str = "records", **more) -> Result:
    return Result(kind, status, **more)


def summed(*results: Result) -> Report:
    report = Report()
    for one in results:
        report.add(one)
    return report


def test_a_line_is_read_as_it_was_written():
    one = result(sent=3, received=4, seconds=0.5, spread=0.125, fault="odd")
    assert parse(json.dumps(asdict(one)).encode() + b"\n") == one


@pytest.mark.parametrize(
    "line", [b"", b"Traceback", b"[]", b"3", b"{}", b'{"kind": "x"}', b'{"kind":"x","status":200}']
)
def test_what_is_no_report_is_told_apart(line):
    with pytest.raises(ReportError):
        parse(line)


def test_each_request_is_good_unauthorized_or_failed():
    report = summed(
        result(), result(401), result(503, fault="no"), result(0, fault="cut"), result(fault="odd")
    )
    tally = report.tallies["records"]
    assert (tally.requests, tally.ok, tally.unauthorized, tally.failed) == (5, 1, 1, 3)


def test_bytes_add_up_and_the_slowest_counts():
    total = summed(
        result(sent=1, received=10, seconds=0.5),
        result(sent=2, received=20, seconds=2.0, kind="upload"),
        result(sent=4, received=40, seconds=1.0),
    ).total
    assert (total.requests, total.sent, total.received, total.slowest) == (3, 7, 70, 2.0)


def test_every_fault_is_kept_in_words():
    report = summed(result(), result(401, fault="no token"), result(0, "chat", fault="cut off"))
    assert report.faults == ["records: status 401: no token", "chat: no answer: cut off"]


def test_the_last_status_of_each_kind_is_known():
    report = summed(result(200), result(401), result(200, "chat"))
    assert report.statuses == {"records": 401, "arrow": 0, "chat": 200, "upload": 0}
