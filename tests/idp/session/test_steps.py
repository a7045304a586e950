"""Where a login goes next, and where it never goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.errors import TokenRequestError
from proxy.idp.session.page import Form
from proxy.idp.session.steps import Step, check_secure, get, linked, place_of, redirected, submitted
from proxy.message import Answer, Request

HERE = "https://app.example/a/b?c=d"
POST = Step(Request("POST", HERE, {"Content-Type": "x"}, b"secret"), secret=True)


def answer(status: int, location: str | None) -> Answer:
    now = Moment(0.0, 0.0)
    return Answer(status, {} if location is None else {"location": location}, b"", now, now)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "https://app.example/x"),
        ("x?y=%2A&z", "https://app.example/a/x?y=%2A&z"),
        ("?e", "https://app.example/a/b?e"),
        ("//other.example", "https://other.example"),
        ("http://other.example/x#part", "http://other.example/x"),
        ("/a b\u00e9", "https://app.example/a%20b%C3%A9"),
        ("/a\r\nX: y", "https://app.example/aX:%20y"),
        ("/../../x", "https://app.example/x"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_is_followed_by_get_without_the_form(
    status: int, location: str, url: str
) -> None:
    step = redirected(POST, answer(status, location))
    assert step is not None
    assert (step.request.method, step.request.url, step.request.body) == ("GET", url, b"")
    assert not step.secret


@pytest.mark.parametrize("status", [307, 308])
def test_a_repeated_form_stays_at_its_origin(status: int) -> None:
    step = redirected(POST, answer(status, "/x"))
    assert step is not None
    assert (step.request.method, step.request.body, step.secret) == ("POST", b"secret", True)
    with pytest.raises(TokenRequestError, match=r"repeated to https://app\.example:8443"):
        redirected(POST, answer(status, "https://app.example:8443/x"))


@pytest.mark.parametrize(("status", "location"), [(200, "/x"), (302, None), (304, "/x"), (302, "")])
def test_anything_else_is_no_redirect(status: int, location: str | None) -> None:
    assert redirected(POST, answer(status, location)) is None


@pytest.mark.parametrize(
    ("url", "before", "refused"),
    [
        ("https://a.example/", None, None),
        ("https://a.example/", "http://127.0.0.1/", None),
        ("http://localhost:8000/", None, None),
        ("http://127.0.0.1/", "http://localhost/", None),
        ("http://a.example/", None, "is not secure"),
        ("http://a.example/", "http://localhost/", "is not secure"),
        ("http://a.example/", "https://a.example/", "from https to http://a.example"),
        ("http://localhost/", "https://a.example/", "from https to http://localhost"),
        ("ftp://a.example/", "https://a.example/", "neither http nor https"),
        ("javascript:alert(1)", "https://a.example/", "neither http nor https"),
        ("file:///etc/passwd", None, "neither http nor https"),
    ],
)
def test_a_login_stays_where_nobody_can_read_it(
    url: str, before: str | None, refused: str | None
) -> None:
    if refused is None:
        check_secure(url, before, allow_insecure=False)
        return
    with pytest.raises(TokenRequestError, match=refused):
        check_secure(url, before, allow_insecure=False)


def test_allow_insecure_allows_http_and_nothing_more() -> None:
    check_secure("http://a.example/", "https://a.example/", allow_insecure=True)
    with pytest.raises(TokenRequestError):
        check_secure("ftp://a.example/", None, allow_insecure=True)


@pytest.mark.parametrize(
    ("action", "base", "url"),
    [
        ("", "", HERE),
        ("/x", "", "https://app.example/x"),
        ("x", "/base/", "https://app.example/base/x"),
        ("", "https://other.example/", HERE),
    ],
)
def test_a_form_goes_to_its_action_on_its_page(action: str, base: str, url: str) -> None:
    step = submitted(Form(action, "post"), (("a", "1"),), HERE, base)
    assert (step.request.url, step.request.body) == (url, b"a=1")
    assert step.request.headers["Origin"] == "https://app.example"


def test_a_form_by_get_puts_its_fields_into_the_address() -> None:
    step = submitted(Form("/start?gone=1#x"), (("rd", "/a b"),), HERE, "")
    assert step.request.url == "https://app.example/start?rd=%2Fa+b"


def test_a_place_is_told_without_query_and_password() -> None:
    assert place_of("https://u:p@a.example:8443/x?y#z") == "https://a.example:8443/x"
    assert place_of("https://a.example?y") == "https://a.example/"
    assert get("https://a.example/x#y").request.url == "https://a.example/x"


@given(st.text(max_size=60))
def test_no_target_is_a_crash_or_leaves_what_a_request_line_can_not_hold(target: str) -> None:
    try:
        step = linked(target, HERE, "")
        check_secure(step.request.url, HERE, allow_insecure=False)
    except TokenRequestError:
        return
    path = step.request.url.removeprefix("https://").partition("/")[2]
    assert path.isascii()
    assert not set(path) & set(" \r\n\t\x00")
