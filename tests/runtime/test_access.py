from __future__ import annotations

import json

import pytest

from proxy.plane.totals import AccessRecord
from proxy.runtime.access import FLUSH_AFTER, FLUSH_AT, AccessLog, Names
from tests.support.clock import FakeClock


def record(**changed: object) -> AccessRecord:
    usual: dict[str, object] = {
        "method": "POST",
        "route": "/infer/",
        "status": 200,
        "bytes_in": 10,
        "bytes_out": 20,
        "seconds": 0.0123456789,
    }
    return AccessRecord(**{**usual, **changed})  # type: ignore[arg-type]


async def test_lines_are_written_together_after_a_moment() -> None:
    written: list[str] = []
    clock = FakeClock()
    log = AccessLog(written.append, clock)
    log.finished(record())
    log.finished(record(status=503))
    assert written == []
    await clock.advance(FLUSH_AFTER)
    assert len(written) == 1
    assert written[0].count("\n") == 2


def test_many_lines_do_not_wait() -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock())
    for _ in range(FLUSH_AT):
        log.finished(record())
    assert written[0].count("\n") == FLUSH_AT


def test_a_line_has_method_route_status_sizes_and_time() -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock())
    asked = record(credential="inference", generation=4, client="notebook", replayed=True)
    asked.request_id = "theirs-17"
    log.finished(asked)
    log.flush()
    assert written[0].endswith(
        " INFO    request method=POST route=/infer/ status=200 in=10 out=20 seconds=0.012346"
        " credential=inference generation=4 client=notebook replayed=True request_id=theirs-17\n"
    )


def test_a_line_of_json_is_one_object() -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock(), form="json")
    log.finished(record(route=None, status=404, error="destination_not_found"))
    log.flush()
    said = json.loads(written[0])
    assert said["event"] == "request"
    assert said["seconds"] == 0.012346
    assert said["status"] == 404
    assert said["error"] == "destination_not_found"
    assert "route" not in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_answer_of_our_own_is_found_again_by_its_instance(form: str) -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock(), form=form)
    log.finished(record(instance="urn:uuid:1"))
    log.finished(record())
    log.flush()
    first, second = written[0].splitlines()
    assert "urn:uuid:1" in first
    assert "instance" not in second


def test_a_log_that_is_off_keeps_nothing() -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock())
    log.enabled = False
    log.finished(record())
    log.flush()
    assert written == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_method_that_was_made_up_can_not_break_the_line(form: str) -> None:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock(), form=form)
    log.finished(record(method='GET\nfake "line"', client="\u2028"))
    log.flush()
    assert len(written[0].splitlines()) == 1


def ids(*records: AccessRecord, form: str = "json") -> list[str]:
    written: list[str] = []
    log = AccessLog(written.append, FakeClock(), form=form)
    for one in records:
        log.finished(one)
    log.flush()
    if form == "json":
        return [json.loads(line)["request_id"] for line in written[0].splitlines()]
    return [line.partition(" request_id=")[2] for line in written[0].splitlines()]


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_request_has_a_name_and_no_two_have_one_of_ours(form: str) -> None:
    found = ids(*(record() for _ in range(100)), form=form)
    assert len(set(found)) == 100
    assert all(name.isalnum() and len(name) == 32 for name in found)


def test_two_processes_never_give_the_same_name() -> None:
    assert ids(record()) != ids(record())


def test_the_callers_name_for_it_comes_first() -> None:
    assert ids(record(request_id="abc", instance="urn:uuid:1")) == ["abc"]


def test_a_request_that_got_a_problem_document_is_called_as_the_document_is() -> None:
    assert ids(record(instance="urn:uuid:1-2-3")) == ["1-2-3"]


def test_a_name_that_could_be_misread_is_quoted() -> None:
    assert ids(record(request_id="YWJj=="), form="text") == ['"YWJj=="']
    assert ids(record(request_id="<&>'/")) == ["<&>'/"]


def test_names_of_ours_go_on_counting() -> None:
    names = Names("ab")
    assert [names.of(record()), names.of(record())] == ["ab000000000001", "ab000000000002"]
