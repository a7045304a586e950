from __future__ import annotations

import traceback
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, TokenRequestError
from proxy.oauth.authorization import AuthorizationRequest
from proxy.oauth.redirect import ForeignRedirectError, code_in, pasted
from proxy.secret import Secret

STATE = "s" * 43
ASKED = AuthorizationRequest(
    url="https://id.example/auth",
    redirect_uri="https://app.example/auth/callback?from=us",
    state=Secret(STATE),
    verifier=Secret("v" * 43),
)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


def query(**fields: str) -> str:
    return urlencode({"state": STATE, **fields})


def refused(query: str, asked: AuthorizationRequest = ASKED) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        code_in(query, asked)
    assert STATE not in "".join(traceback.format_exception(caught.value))
    return caught.value


@given(VISIBLE)
def test_any_code_is_had_from_its_redirect(code: str) -> None:
    assert code_in(query(code=code, session_state="x"), ASKED).reveal() == code


@given(VISIBLE)
def test_any_code_is_had_from_a_pasted_address(code: str) -> None:
    address = f" '{ASKED.redirect_uri}&{query(code=code)}#_=_'\n"
    assert pasted(address, ASKED, bare=False).reveal() == code
    assert pasted("?" + query(code=code), ASKED, bare=False).reveal() == code
    assert pasted(query(code=code), ASKED, bare=True).reveal() == code


@given(st.text())
def test_whatever_comes_it_is_a_code_or_an_explained_error(text: str) -> None:
    for read in (code_in, lambda text, asked: pasted(text, asked, bare=True)):
        try:
            said = read(text, ASKED).reveal()
        except TokenRequestError as error:
            said = str(error)
        assert said


@pytest.mark.parametrize(
    "fields",
    [
        "code=c",
        "code=c&state=",
        "code=c&state=other",
        f"code=c&state={STATE}&state={STATE}",
        f"code=c&state={STATE}x",
        f"code=c&state={STATE[:-1]}",
        "code=c&state=%ff",
        "error=access_denied",
        "&".join(["a=b"] * 101),
        "",
    ],
)
def test_without_our_state_it_is_not_ours_whatever_else_it_says(fields: str) -> None:
    assert isinstance(refused(fields), ForeignRedirectError)


@pytest.mark.parametrize(
    "fields", [{}, {"code": ""}, {"code": "a b"}, {"code": "é"}, {"code": "a\nb"}]
)
def test_an_answer_without_a_usable_code_is_told(fields: dict[str, str]) -> None:
    assert "holds no code" in str(refused(query(**fields)))


def test_nothing_may_be_said_twice() -> None:
    assert "twice" in str(refused(query(code="a") + "&code=b"))
    assert "twice" in str(refused(query(code="a") + "&code=a"))


def test_a_denied_consent_is_told_with_what_to_do() -> None:
    error = refused(query(error="access_denied", error_description="User said no", code="c"))
    assert (error.reason, error.error) == ("denied", "access_denied")
    assert error.failure is Failure.TERMINAL
    assert "access_denied (User said no); log in again and accept" in str(error)


@pytest.mark.parametrize("code", ["server_error", "temporarily_unavailable"])
def test_what_passes_is_no_refusal(code: str) -> None:
    error = refused(query(error=code))
    assert error.failure is Failure.TRANSIENT
    assert "try again later" in str(error)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_scope", "check scope"),
        ("unauthorized_client", "let the client"),
        ("login_required", "prompt=none"),
        ("brand_new", "log in again"),
    ],
)
def test_every_other_refusal_says_where_to_look(code: str, advice: str) -> None:
    assert advice in str(refused(query(error=code)))


def test_what_a_provider_says_is_cleaned_first() -> None:
    error = refused(query(error="\x1b[31m", error_description=f"a\x1b[31m{STATE}\nb"))
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)


HERE = replace(ASKED, issuer="https://id.example")


def test_an_answer_that_names_its_issuer_must_name_ours() -> None:
    assert code_in(query(code="c", iss="https://id.example"), HERE).reveal() == "c"
    for other in ("https://id.example/", "https://evil.example", ""):
        assert refused(query(code="c", iss=other), HERE).reason == "issuer"


def test_another_issuers_error_is_not_believed_either() -> None:
    error = refused(query(error="access_denied", iss="https://evil.example"), HERE)
    assert error.reason == "issuer"


def test_an_issuer_that_says_it_names_itself_must() -> None:
    assert code_in(query(code="c"), HERE).reveal() == "c"
    error = refused(query(code="c"), replace(HERE, names_itself=True))
    assert error.reason == "issuer"
    assert "does not say whose it is" in str(error)


def test_where_nobody_knows_the_issuer_its_name_says_nothing() -> None:
    assert code_in(query(code="c", iss="https://any.example"), ASKED).reveal() == "c"


def test_a_bare_code_is_taken_only_where_it_is_wanted() -> None:
    assert pasted(" c0de/= \n", ASKED, bare=True).reveal() == "c0de/="
    with pytest.raises(ForeignRedirectError, match="whole one"):
        pasted("c0de", ASKED, bare=False)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "two words", "x" * 9000, "https://app.example/", f"https://a/?code={quote('c')}"],
)
def test_what_is_no_answer_is_asked_for_again(text: str) -> None:
    with pytest.raises(ForeignRedirectError):
        pasted(text, ASKED, bare=True)
