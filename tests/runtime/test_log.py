from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from proxy.runtime.log import Log, quoted, stamp
from proxy.secret import Secret


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Closed(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_line_of_text_has_time_level_event_fields_and_message() -> None:
    stream = io.StringIO()
    Log(stream).event("warning", "token.failed", "no answer", credential="a b", tries=3)
    line = stream.getvalue()
    assert line.endswith(' WARNING token.failed credential="a b" tries=3: no answer\n')
    assert len(line.split(" ")[0]) == len("2026-11-21T09:00:00.000Z")


def test_a_line_of_json_is_one_object() -> None:
    stream = io.StringIO()
    Log(stream, form="json").event("info", "start", version="1", port=None)
    said = json.loads(stream.getvalue())
    del said["time"]
    assert said == {"level": "info", "event": "start", "version": "1"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_in_a_message_or_a_field_breaks_the_line(form: str) -> None:
    stream = io.StringIO()
    nasty = "one\ntwo\r\x1b[31mred\u2028three"
    Log(stream, form=form).event("info", "x", nasty, field=nasty)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_events_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    log = Log(stream, level="warning")
    log.event("info", "x")
    assert stream.getvalue() == ""
    log.event("warning", "y")
    assert "WARNING y" in stream.getvalue()


def test_the_level_and_the_form_can_be_changed() -> None:
    stream = io.StringIO()
    log = Log(stream, level="error")
    log.set("json", "debug")
    log.event("debug", "x")
    assert json.loads(stream.getvalue())["event"] == "x"


def test_an_unexpected_error_is_one_line_with_its_class_and_no_traceback() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.unexpected("plane_fault", ValueError("canary"))
    assert stream.getvalue().endswith(
        "ERROR   plane_fault exception=ValueError: unexpected error; this is a bug\n"
    )
    assert "canary" not in stream.getvalue()


def test_at_debug_level_the_traceback_is_there_and_still_one_line() -> None:
    stream = io.StringIO()
    log = Log(stream, level="debug")
    log.unexpected("plane_fault", ValueError("odd"))
    assert "ValueError: odd" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_library_that_logs_an_exception_shows_no_traceback() -> None:
    stream = io.StringIO()
    Log(stream)
    raised = ValueError("canary")
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=raised)
    assert "exception=ValueError" in stream.getvalue()
    assert "canary" not in stream.getvalue()


def test_what_the_event_loop_reports_is_one_line() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.loop_fault(None, {"message": "x", "exception": KeyError("canary")})  # type: ignore[arg-type]
    log.loop_fault(None, {"message": "Unclosed transport"})  # type: ignore[arg-type]
    first, second = stream.getvalue().splitlines()
    assert "exception=KeyError" in first
    assert second.endswith("Unclosed transport")
    assert "canary" not in stream.getvalue()


def test_a_secret_that_slips_into_a_field_stays_hidden() -> None:
    stream = io.StringIO()
    for form in ("text", "json"):
        Log(stream, form=form).event("info", "x", field=Secret("canary"))  # type: ignore[arg-type]
    assert "canary" not in stream.getvalue()


def test_a_log_that_nobody_reads_any_more_ends_no_request() -> None:
    log = Log(Closed())
    log.event("info", "x")
    log.write("line\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("plain", "plain"), ("", '""'), ("a=b", '"a=b"'), ('a"b', '"a\\"b"'), (3, "3"), (0.5, "0.5")],
)
def test_values_are_quoted_only_where_they_could_be_misread(value: str | float, shown: str) -> None:
    assert quoted(value) == shown


def test_a_moment_is_told_in_utc_with_milliseconds() -> None:
    assert stamp(1_790_000_000.25) == "2026-09-21T14:13:20.250Z"
