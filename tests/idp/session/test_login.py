"""A login over real sockets: which pages lead to the cookies, and what each bad end says."""

from __future__ import annotations

import pytest

from proxy.config.model import Form, Provider
from proxy.errors import Failure
from tests.idp.session.conftest import Signing
from tests.support.identity_provider import USER, Reply
from tests.support.web_application import FORM, REFUSED, WebApplication, page, redirect

SET = {"Set-Cookie": "visit=2; Path=/"}


async def test_a_login_is_done_as_by_a_person(signing: Signing) -> None:
    token = await signing.obtain()
    assert token.value.reveal() == "session=s3ss10n"
    assert token.field == "cookie"
    assert token.session is not None
    assert token.session.cookies == {"session"}
    assert token.session.entrances == {f"{signing.app.url}login"}
    assert signing.app.asked == ["GET /", "GET /login", "POST /login", "GET /"]
    assert signing.app.forms == [{"csrf": "t&k", "login": USER[0], "password": USER[1]}]
    assert signing.app.content_types == ["application/x-www-form-urlencoded"]
    assert signing.app.headers[2]["Origin"] == signing.app.url.rstrip("/")
    assert signing.app.cookies[2] == "visit=1"


@pytest.mark.parametrize("encoding", ["multipart", None])
async def test_a_form_is_sent_as_it_is_configured_or_asks_for(
    signing: Signing, encoding: str | None
) -> None:
    if encoding is None:
        multipart = FORM.replace("method=", 'enctype="multipart/form-data" method=')
        signing.app.pages["/form"] = page(multipart)
        await signing.obtain(f"{signing.app.url}form")
    else:
        await signing.obtain(form=Form(encoding=encoding))
    assert signing.app.content_types == ["multipart/form-data"]
    assert signing.app.forms[0]["password"] == USER[1]


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ("Path=/; Max-Age=60", 60.0),
        ("Path=/", 3600.0),
        ("Path=/; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Max-Age=9", 9.0),
    ],
)
async def test_a_session_ends_when_its_cookie_does(
    signing: Signing, attributes: str, seconds: float
) -> None:
    signing.app.cookie = attributes
    assert (await signing.obtain()).lifetime == seconds


async def test_of_several_cookies_all_are_sent_and_the_first_to_end_ends_all(
    signing: Signing,
) -> None:
    signing.app.sets = ["user=mary; Path=/; Max-Age=50", "other=1; Path=/other", "a=1; Path=/"]
    signing.app.cookie = "Path=/; Max-Age=70"
    token = await signing.obtain()
    assert token.session is not None
    assert token.session.cookies == {"session", "user", "a"}
    assert token.lifetime == 50.0


async def test_only_the_named_cookies_are_sent_where_some_are_named(signing: Signing) -> None:
    signing.app.sets = ["user=mary; Path=/; Max-Age=50"]
    token = await signing.obtain(cookies=("session",))
    assert token.value.reveal() == "session=s3ss10n"
    assert token.lifetime == 3600.0


async def test_a_cookie_that_was_cut_in_pieces_is_meant_by_its_name(signing: Signing) -> None:
    signing.app.sets = ["big_0=x; Path=/", "big_1=y; Path=/", "big_x=z; Path=/"]
    token = await signing.obtain(cookies=("big",))
    assert token.value.reveal() == "big_0=x; big_1=y"


async def test_a_named_cookie_that_does_not_come_is_told_with_those_that_do(
    signing: Signing,
) -> None:
    error = await signing.refused(cookies=("session", "sid"))
    assert error.reason == "no_cookie"
    assert "no cookie sid (it set session)" in str(error)
    assert not error.unattended


async def test_a_cookie_without_a_name_is_ignored_with_a_warning(signing: Signing) -> None:
    signing.app.sets = ["=1; Path=/", "alone"]
    token = await signing.obtain()
    assert token.value.reveal() == "session=s3ss10n"
    assert token.warnings == ("2 cookies without a name, or that no header can carry, are ignored",)


async def test_a_wrong_password_is_terminal_and_never_repeated_by_itself(
    signing: Signing,
) -> None:
    signing.environ["PASSWORD"] = "canary-password"
    error = await signing.refused()
    assert (error.failure, error.reason) == (Failure.TERMINAL, "login_refused")
    assert not error.unattended
    assert "Wrong name or password" in str(error)
    assert len(signing.app.forms) == 1


@pytest.mark.parametrize(
    "reply",
    [
        page("<title>x</title><div role=alert>Locked: canary-password is out</div>", **SET),
        page("<p id=account-error>Locked</p>", 403),
        page(REFUSED, 401),
        Reply(401, "no", {"Content-Type": "text/plain"}),
        redirect("/blocked", **SET),
    ],
)
async def test_a_locked_account_is_not_tried_again(signing: Signing, reply: Reply) -> None:
    signing.environ["PASSWORD"] = "canary-password"
    signing.app.pages |= {"/blocked": Reply(401, "no"), "/gone": reply}
    signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"))
    error = await signing.refused()
    assert (error.failure, error.reason) == (Failure.TERMINAL, "login_refused")
    assert not error.unattended
    assert "canary" not in str(error)


async def test_a_page_that_asks_for_more_is_told(signing: Signing) -> None:
    signing.app.pages["/gone"] = redirect("http://localhost:1/")
    async with WebApplication("localhost") as other:
        other.pages["/"] = page("<title>Code</title><form method=post><input name=otp></form>")
        signing.app.pages["/gone"] = redirect(other.url)
        signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"))
        error = await signing.refused()
    assert error.reason == "login_unfinished"
    assert not error.unattended
    assert "the page 'Code' at http://localhost:" in str(error)
    assert "asking for otp" in str(error)


async def test_a_page_with_one_button_is_passed(signing: Signing) -> None:
    button = "<form method=get action='/login'><input type=hidden name=rd value='/x'>"
    button += "<button>Sign in with OpenID</button></form>"
    button += "<form method=post action=/help><button>Help</button></form>"
    signing.app.pages["/start"] = page(button, 403)
    token = await signing.obtain(f"{signing.app.url}start")
    assert token.session is not None
    assert token.session.entrances == frozenset()
    assert signing.app.asked[:3] == ["GET /start", "GET /login", "POST /login"]


async def test_a_link_that_says_sign_in_is_followed(signing: Signing) -> None:
    signing.app.pages["/start"] = page("<a href='/'>Home</a> <a href='login'>Log in</a>")
    await signing.obtain(f"{signing.app.url}start")
    assert signing.app.asked[:3] == ["GET /start", "GET /login", "POST /login"]


async def test_a_form_that_submits_itself_carries_the_login_back(signing: Signing) -> None:
    async with WebApplication("localhost") as other:
        back = f"<form method=post action='{signing.app.url}login'>"
        fields = f"<input type=hidden name=login value='{USER[0]}'>"
        fields += f"<input type=hidden name=password value='{USER[1]}'>"
        fields += "<input type=hidden name=csrf value='t&amp;k'></form>"
        other.pages["/login"] = lambda request, _: (
            page(FORM) if request.method == "GET" else page(back + fields)
        )
        signing.app.pages["/start"] = redirect(f"{other.url}login")
        token = await signing.obtain(f"{signing.app.url}start")
    assert token.value.reveal() == "session=s3ss10n"
    assert token.session is not None
    assert token.session.entrances == {f"{other.url}login"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<title>Wait</title>", "without leading to a sign-in page"),
        ("<title>Two</title><form><input name=mail></form>", "its fields: mail"),
        ("<form><input type=password name=p></form>", "its fields: p"),
        ("", "without leading to a sign-in page"),
        ("<" * 5000, "without leading to a sign-in page"),
    ],
)
async def test_a_page_without_a_form_is_told_by_what_it_has(
    signing: Signing, body: str, said: str
) -> None:
    signing.app.pages["/"] = page(body)
    error = await signing.refused()
    assert (error.failure, error.reason) == (Failure.SLOW, "form_not_found")
    assert said in str(error)
    assert signing.app.forms == []


async def test_named_fields_are_taken_whatever_their_kind(signing: Signing) -> None:
    odd = FORM.replace('"login"', '"x1" value="y"').replace(
        'type="password" name="password"', "name=x2"
    )
    signing.app.pages["/form"] = page(odd)
    error = await signing.refused(f"{signing.app.url}form", form=Form(username="x1", password="x2"))
    assert error.reason == "login_refused"
    assert signing.app.forms == [{"csrf": "t&k", "x1": USER[0], "x2": USER[1]}]


async def test_names_that_no_form_has_are_told_with_those_there_are(signing: Signing) -> None:
    error = await signing.refused(form=Form(username="user", password="pass"))
    assert "its fields: q, login, password" in str(error)
    assert "form.password" in str(error)


async def test_endless_redirects_end(signing: Signing) -> None:
    signing.app.pages |= {"/": redirect("/a?secret=canary"), "/a": redirect("/")}
    error = await signing.refused()
    assert (error.failure, error.reason) == (Failure.SLOW, "redirects")
    assert "canary" not in str(error)
    assert len(signing.app.asked) == 20


async def test_a_login_that_goes_in_circles_sends_the_password_once(signing: Signing) -> None:
    signing.app.pages["/"] = lambda *_: redirect("/login")
    error = await signing.refused()
    assert error.reason == "login_refused"
    assert len(signing.app.forms) == 1


@pytest.mark.parametrize(
    ("reply", "failure", "reason"),
    [
        (Reply(503, "", {"Retry-After": "7"}), Failure.RETRY_AFTER, "http_503"),
        (Reply(429, "", {}), Failure.SLOW, "http_429"),
        (page("<h1>broken</h1>", 500), Failure.TRANSIENT, "http_500"),
        (page("<h1>not here</h1>", 404), Failure.SLOW, "http_404"),
        (Reply(401, "no", {}), Failure.SLOW, "http_401"),
        (Reply(200, b"{}", {"Content-Type": "application/json"}), Failure.SLOW, "not_html"),
        (Reply(204, "", {}), Failure.SLOW, "not_html"),
        (redirect("ftp://x/"), Failure.SLOW, "insecure_login"),
        (redirect("http://[x/"), Failure.SLOW, "insecure_login"),
        (redirect("http://192.0.2.1/"), Failure.SLOW, "insecure_login"),
    ],
)
async def test_what_comes_before_the_password_may_be_tried_again(
    signing: Signing, reply: Reply, failure: Failure, reason: str
) -> None:
    signing.app.pages["/"] = reply
    error = await signing.refused()
    assert (error.failure, error.reason) == (failure, reason)
    assert error.unattended


async def test_an_application_that_breaks_at_the_password_is_tried_again_slowly(
    signing: Signing,
) -> None:
    signing.app.pages["/gone"] = page("<h1>broken</h1>", 500)
    signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"))
    error = await signing.refused()
    assert (error.failure, error.unattended) == (Failure.SLOW, True)


async def test_what_stands_behind_a_good_login_may_be_broken(signing: Signing) -> None:
    signing.app.pages["/broken"] = lambda request, _: (
        page("", 502) if request.headers.get("Cookie") else redirect("/login")
    )
    signing.app.pages["/"] = redirect("/broken")
    assert (await signing.obtain()).value.reveal() == "session=s3ss10n"


async def test_a_broken_end_without_a_new_cookie_is_no_session(signing: Signing) -> None:
    signing.app.pages["/gone"] = redirect("/broken")
    signing.app.pages["/broken"] = page("", 404)
    signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"), **SET)
    error = await signing.refused()
    assert (error.reason, error.unattended) == ("no_cookie", False)


async def test_where_people_with_a_session_are_sent_too_is_no_entrance(signing: Signing) -> None:
    signing.app.pages["/start"] = redirect("/app/")
    signing.app.pages["/app/"] = lambda request, _: (
        page("<title>In</title>")
        if "session" in (request.headers.get("Cookie") or "")
        else redirect("/login")
    )
    signing.app.pages["/"] = redirect("/start")
    token = await signing.obtain(f"{signing.app.url}start")
    assert token.session is not None
    assert token.session.entrances == {f"{signing.app.url}login"}


async def test_a_login_that_takes_too_long_is_given_up(signing: Signing) -> None:
    def slowly(*_: object) -> Reply:
        signing.clock._monotonic += 61.0
        return redirect("/login")

    signing.app.pages["/"] = slowly
    error = await signing.refused()
    assert (error.failure, error.reason) == (Failure.TRANSIENT, "timeout")
    assert "more than 60 s" in str(error)
    assert signing.app.forms == []


async def test_what_leads_astray_after_the_password_is_not_tried_again_by_itself(
    signing: Signing,
) -> None:
    signing.app.pages["/gone"] = redirect("http://192.0.2.1/")
    signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"))
    error = await signing.refused()
    assert (error.reason, error.failure) == ("insecure_login", Failure.TERMINAL)
    assert not error.unattended


async def test_the_password_goes_nowhere_that_nothing_led_to(signing: Signing) -> None:
    async with WebApplication("localhost") as other:
        signing.app.pages["/"] = page(FORM.replace("/login?", f"{other.url}login?"))
        error = await signing.refused()
        assert error.reason == "insecure_login"
        assert other.asked == []
        assert signing.app.forms == []


async def test_the_password_is_not_repeated_to_another_origin(signing: Signing) -> None:
    async with WebApplication("localhost") as other:
        signing.app.pages["/gone"] = redirect(f"{other.url}login", 307)
        signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"))
        assert (await signing.refused()).reason == "insecure_login"
        assert other.asked == []


async def test_the_password_never_stands_in_an_address(signing: Signing) -> None:
    signing.app.pages["/"] = page(FORM.replace('method="post" ', ""))
    error = await signing.refused()
    assert "method GET" in str(error)
    assert signing.app.asked == ["GET /"]


async def test_plain_http_to_another_machine_wants_allow_insecure(signing: Signing) -> None:
    error = await signing.refused("http://192.0.2.1/")
    assert "allow_insecure" in str(error)
    assert signing.app.asked == []


async def test_a_password_that_can_not_be_read_asks_nobody(signing: Signing) -> None:
    del signing.environ["PASSWORD"]
    assert (await signing.refused()).reason == "secret"
    assert signing.app.asked == []


async def test_with_allow_insecure_plain_http_is_taken(signing: Signing) -> None:
    signing.provider = Provider(allow_insecure=True)
    signing.app.pages["/"] = redirect("http://192.0.2.1:0/")
    assert "what is no address" in str(await signing.refused())
