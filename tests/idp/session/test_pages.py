"""Which form, which field, which button: on pages shaped like those of Dex, Keycloak and others."""

from __future__ import annotations

import pytest

from proxy.config.model import Form
from proxy.idp.session.choices import approval, chosen, connectors, onward
from proxy.idp.session.filling import encoded, pairs, person, sign_in_form, to_fill
from proxy.idp.session.page import Link, read
from proxy.secret import Secret

DEX = """<html><head><title>dex</title></head><body><form method="post"
 action="/dex/auth/local/login?back=&amp;state=abc"><input tabindex="1" required id="login"
 name="login" type="text" placeholder="email" autofocus/><input tabindex="2" required
 id="password" name="password" type="password"/><button tabindex="3" id="submit-login"
 type="submit" class="dex-btn">Login</button></form></body></html>"""
KEYCLOAK = """<html class="login-pf"><title>Sign in to lab</title><form id="kc-form-login"
 onsubmit="login.disabled = true; return true;"
 action="http://k/auth/realms/r/login-actions/authenticate?session_code=x&amp;tab_id=t"
 method="post"><input tabindex="2" id="username" name="username" value="" type="text"
 autocomplete="username" autofocus /><input id="password" name="password" value=""
 type="password" autocomplete="current-password"><button type="button" aria-label="Show"
 data-password-toggle></button><input tabindex="5" id="rememberMe" name="rememberMe"
 type="checkbox"> Remember me<input type="hidden" id="id-hidden-input" name="credentialId"/>
 <input tabindex="7" name="login" id="kc-login" type="submit" value="Sign In"/></form></html>"""
CONNECTORS = """<h2>Log in to dex</h2><a href="/dex/auth/google?a=1&amp;b=2"><button><span
 class="dex-btn-icon dex-btn-icon--google"></span><span>Log in with Google</span></button></a>
 <a href="/dex/auth/local?a=1" target="_self"><button><span
 class="dex-btn-icon dex-btn-icon--local"></span><span>Log in with Email</span></button></a>
 <a href="http://[bad">x</a><a href="/dex/theme/x.css">y</a>"""
APPROVAL = """<form method="post"><input type="hidden" name="req" value="r1"/><input type="hidden"
 name="approval" value="rejected"><button>Cancel</button></form><form method="post"><input
 type="hidden" name="req" value="r1"/><input type="hidden" name="approval" value="approve">
 <button type="submit">Grant Access</button></form>"""
REGISTRATION = """<form method=post><input name=name><input type=password name=one>
 <input type=password name=two></form>"""
PLACE = "http://127.0.0.1:5556/dex/auth?client_id=x"


def filled(markup: str, names: Form | None = None) -> tuple[tuple[str, str], ...]:
    found = sign_in_form(read(markup), names or Form())
    assert found is not None
    return person(found, "mary", Secret("pw"))


@pytest.mark.parametrize(
    ("markup", "sent"),
    [
        (DEX, (("login", "mary"), ("password", "pw"))),
        (
            KEYCLOAK,
            (
                ("username", "mary"),
                ("password", "pw"),
                ("credentialId", ""),
                ("login", "Sign In"),
            ),
        ),
        (REGISTRATION + DEX, (("login", "mary"), ("password", "pw"))),
        (
            "<form><input name=x><input name=y type=password></form>",
            (("x", "mary"), ("y", "pw")),
        ),
        (
            "<form><input name=org value=acme><input name=mail type=email><input name=p type="
            "password><select name=s><option value=1><option value=2 selected></select><textarea "
            "name=t>\n a&lt;</textarea><input name=c type=checkbox checked><input name=d disabled>"
            "<input type=radio name=r value=1><button name=b value=go>Go</button><button name=no>"
            "No</button></form>",
            (
                ("org", "acme"),
                ("mail", "mary"),
                ("p", "pw"),
                ("s", "2"),
                ("t", "a<"),
                ("c", "on"),
                ("b", "go"),
            ),
        ),
    ],
)
def test_a_sign_in_form_is_found_and_filled(markup: str, sent: tuple[tuple[str, str], ...]) -> None:
    assert sorted(filled(markup)) == sorted(sent)


def test_named_fields_go_before_what_they_look_like() -> None:
    names = Form(username="one", password="two")
    markup = "<form><input name=user><input name=one><input name=two><input type=password name=p>"
    assert filled(markup, names) == (("user", ""), ("one", "mary"), ("two", "pw"), ("p", ""))


def test_one_name_is_enough_where_the_other_is_found() -> None:
    markup = "<form><input name=user><input name=code><input type=password name=p></form>"
    assert dict(filled(markup, Form(username="code")))["code"] == "mary"


@pytest.mark.parametrize(
    "markup",
    [
        "<input name=user><input type=password name=p>",
        "<form><input name=user></form>",
        "<form><input type=password name=p></form>",
        "<form><input name=user></form><form><input type=password name=p></form>",
        "<form><input><input type=password></form>",
        "<!-- <form><input name=user><input type=password name=p></form> -->",
    ],
)
def test_a_page_without_both_fields_in_one_form_has_none(markup: str) -> None:
    assert sign_in_form(read(markup), Form()) is None


def test_a_multipart_body_has_each_value_whole() -> None:
    sent = encoded((('a"\r\n', "1\r\n--"), ("b", "é")), "multipart/form-data")
    boundary = sent.content_type.partition("boundary=")[2].encode()
    parts = sent.body.split(b"--" + boundary)
    assert parts[0] == b""
    assert parts[1] == (b'\r\nContent-Disposition: form-data; name="a%22%0D%0A"\r\n\r\n1\r\n--\r\n')
    assert parts[2].endswith("\r\n\r\né\r\n".encode())
    assert parts[3] == b"--\r\n"


def test_a_form_is_urlencoded_where_nothing_else_is_said() -> None:
    sent = encoded((("a b", "é&="), ("c", "")), "text/plain")
    assert (sent.content_type, sent.body) == (
        "application/x-www-form-urlencoded",
        b"a+b=%C3%A9%26%3D&c=",
    )


def test_dex_s_connectors_are_told_apart_by_id_name_and_kind() -> None:
    offered = connectors(read(CONNECTORS), PLACE)
    assert [(one.id, one.name, one.password) for one in offered] == [
        ("google", "Google", False),
        ("local", "Email", True),
    ]
    assert offered[0].target == "http://127.0.0.1:5556/dex/auth/google?a=1&b=2"


@pytest.mark.parametrize(
    ("wanted", "id_"),
    [(None, "local"), ("google", "google"), ("email", "local"), ("ldap", None)],
)
def test_a_connector_is_chosen_by_wish_or_as_the_only_one_with_a_password(
    wanted: str | None, id_: str | None
) -> None:
    found = chosen(connectors(read(CONNECTORS), PLACE), wanted)
    assert (found and found.id) == id_


def test_of_two_connectors_with_passwords_none_is_chosen_for_anybody() -> None:
    page = read(CONNECTORS.replace("icon--google", "icon--ldap"))
    assert chosen(connectors(page, PLACE), None) is None


@pytest.mark.parametrize("place", ["http://x/dex/", "http://x/other/auth", "http://x/"])
def test_links_elsewhere_are_no_connectors(place: str) -> None:
    assert connectors(read(CONNECTORS), place) == ()


def test_dex_s_approval_is_granted_not_cancelled() -> None:
    form = approval(read(APPROVAL))
    assert form is not None
    assert pairs(form) == (("req", "r1"), ("approval", "approve"))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<form><button>Sign in with Dex</button></form>", "Sign in with Dex"),
        ("<form><input type=submit value=Weiter></form>", "Weiter"),
        ("<form><button>Log out</button></form>", None),
        ("<form><button>A</button></form><form><button>B</button></form>", None),
        ("<form><button>Login</button></form><form><button>B</button></form>", "Login"),
        ("<form><input name=q></form><a href=/in>Log  in</a>", "Log in"),
        ("<a href=/1>Sign in</a><a href=/2>Sign in</a>", None),
        ("<a href=/1>Sign in</a><a href=/1>Log in</a>", "Log in"),
        ("<a href=/1>Sign out</a>", None),
        ("", None),
    ],
)
def test_the_one_thing_that_leads_on_is_pressed(markup: str, text: str | None) -> None:
    found = onward(read(markup))
    assert (found.text if found else None) == text


def test_a_page_tells_its_title_its_notices_and_what_is_to_fill() -> None:
    page = read(
        "<title> a\n b </title><base href=/x/><p class='kc-feedback-text'>One <b>two</b></p>"
        "<div id=login-error></div><form><input name=otp><input type=hidden name=h></form>"
    )
    assert (page.title, page.base) == ("a b", "/x/")
    assert page.notices == ["One two", ""]
    assert to_fill(page) == ("otp",)


def test_a_link_is_told_with_its_text_and_classes() -> None:
    page = read("<a class='b c' href=' /x ' >Go <i class=d>on</i><a href=/y>y")
    assert page.links == [
        Link("/x", "Go on", frozenset("bcd")),
        Link("/y", "y", frozenset()),
    ]
