"""Problem documents by themselves: what they say, when to come back, and never a 401."""

from __future__ import annotations

import json

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.http1.refusal import MessageError
from proxy.plane import answers
from proxy.plane.answers import Problem, new_instance, of_credential, of_message


def split(raw: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def test_a_problem_says_the_same_in_its_head_and_its_body() -> None:
    problem = Problem(502, "connection_refused", "It refuses.")
    lines, body = split(problem.encode("urn:x", close=False, with_body=True))
    assert lines[0] == b"HTTP/1.1 502 Bad Gateway"
    assert b"Proxy-Status: token-sidecar; error=connection_refused" in lines
    assert b"Content-Length: %d" % len(body) in lines
    assert json.loads(body) == {
        "type": "urn:token-sidecar:problem:connection-refused",
        "title": "Bad Gateway",
        "status": 502,
        "detail": "It refuses.",
        "instance": "urn:x",
    }


def test_to_a_head_request_the_length_is_told_and_the_body_left_out() -> None:
    problem = Problem(404, "destination_not_found", "Nothing here.")
    whole = problem.encode("urn:x", close=True, with_body=True)
    bare = problem.encode("urn:x", close=True, with_body=False)
    assert whole.startswith(bare)
    assert bare.endswith(b"Connection: close\r\n\r\n")


@pytest.mark.parametrize(("seconds", "told"), [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.1, b"2")])
def test_retry_after_is_whole_seconds_and_at_least_one(seconds: float, told: bytes) -> None:
    problem = Problem(503, "proxy_internal_response", "Later.", seconds)
    assert b"Retry-After: " + told in split(problem.encode("i", close=False, with_body=True))[0]


def test_without_a_moment_to_name_there_is_no_retry_after() -> None:
    raw = Problem(503, "x", "Later.").encode("i", close=False, with_body=True)
    assert b"Retry-After" not in raw


def test_a_detail_can_not_break_out_of_its_place() -> None:
    nasty = 'a"\r\n\r\nHTTP/1.1 200 OK\r\n\x00\u00e9'
    lines, body = split(Problem(502, "x", nasty).encode("i", close=False, with_body=True))
    assert len(lines) == 5
    assert json.loads(body)["detail"] == nasty


def test_a_missing_token_is_a_503_and_a_refused_one_a_502() -> None:
    missing = of_credential(CredentialUnavailable("no token", credential="c", retry_after=3))
    assert (missing.status, missing.retry_after, missing.close) == (503, 3, False)
    refused = of_credential(
        CredentialRefused("refused", credential="c", retry_after=300, error="invalid_client")
    )
    assert (refused.status, refused.retry_after) == (502, 300)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 414, 421, 431, 501, 505])
def test_a_refusal_closes_unless_the_message_itself_was_sound(status: int) -> None:
    problem = of_message(MessageError("because", status))
    assert (problem.status, problem.detail) == (status, "Because.")
    assert problem.close == (status not in {403, 404, 405, 421})


def test_no_answer_of_our_own_is_a_401() -> None:
    ready = [value for value in vars(answers).values() if isinstance(value, Problem)]
    assert len(ready) > 8
    assert all(problem.status != 401 for problem in ready)
    assert all(problem.detail.endswith((".", ")")) for problem in ready)


def test_every_occurrence_has_a_name_of_its_own() -> None:
    assert len({new_instance() for _ in range(100)}) == 100
