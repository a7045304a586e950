"""When a token ends: what expires_in, exp and the provider's clock say together."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.lifetime import LONGEST, seconds, skew
from proxy.oauth.response import read
from proxy.tokens.token import Token
from tests.support.answers import SENT, answer, unsigned

ABOUT = Circumstances("x", default_lifetime=1000.0)
ID = Circumstances("x", use=("id_token",), default_lifetime=1000.0)
NOW = SENT.wall


def date(wall: float) -> dict[str, str]:
    return {"date": formatdate(int(wall // 1), usegmt=True)}


def ends(token: Token) -> float:
    """Seconds after the sending, on both clocks."""
    assert token.expires is not None
    assert token.expires.monotonic - SENT.monotonic == pytest.approx(token.expires.wall - SENT.wall)
    return token.expires.wall - SENT.wall


@pytest.mark.parametrize("said", [300, "300", " 300 ", 300.0, "300.0"])
def test_expires_in_counts_from_the_sending(said: object) -> None:
    token = read(answer(expires_in=said), ABOUT)
    assert ends(token) == 300
    assert token.warnings == ()


@pytest.mark.parametrize(
    "said",
    [0, -1, True, False, 1e99, "1e99", "-1", "", "soon", "٣٠٠", "0x10", "1_000", 2**31 + 1, 2**9999,
     [300], {"s": 300}, float("inf"), float("nan")],
)  # fmt: skip
def test_nonsense_about_time_means_the_default_and_a_warning(said: object) -> None:
    token = read(answer(expires_in=said), ABOUT)
    assert ends(token) == 1000
    assert "makes no sense" in token.warnings[0]
    assert "1000 s assumed" in token.warnings[1]


def test_silence_about_time_means_the_default_and_a_warning() -> None:
    token = read(answer(expires_in=None), ABOUT)
    assert ends(token) == 1000
    assert len(token.warnings) == 1


def test_the_earlier_of_expires_in_and_exp_wins() -> None:
    assert ends(read(answer(access_token=unsigned(exp=NOW + 60)), ABOUT)) == 60
    assert ends(read(answer(access_token=unsigned(exp=NOW + 900)), ABOUT)) == 300


def test_exp_alone_is_enough_even_beside_nonsense() -> None:
    token = read(answer(access_token=unsigned(exp=NOW + 60), expires_in=-1), ABOUT)
    assert ends(token) == 60
    assert len(token.warnings) == 1


@pytest.mark.parametrize("exp", [0, -5, True, "soon", None, 1e99, 2**9999, NOW + LONGEST + 60])
def test_an_exp_without_sense_is_ignored(exp: object) -> None:
    assert ends(read(answer(access_token=unsigned(exp=exp), expires_in=None), ABOUT)) == 1000


def test_expires_in_is_not_about_another_field_that_is_a_jwt() -> None:
    assert ends(read(answer(id_token=unsigned(exp=NOW + 900), expires_in=60), ID)) == 900
    token = read(answer(id_token=unsigned(sub="x"), expires_in=60), ID)
    assert ends(token) == 1000


def test_expires_in_stands_in_for_another_field_that_is_no_jwt() -> None:
    assert ends(read(answer(id_token="opaque", expires_in=60), ID)) == 60


@pytest.mark.parametrize(
    "value", ["a.b.c", "..", "e30.e30.x", "e30.W10.x", "eyJhbGciOiJub25lIn0.!!!.x", "a.b.c.d.e"]
)
def test_three_parts_are_not_yet_a_jwt(value: str) -> None:
    assert ends(read(answer(id_token=value, expires_in=60), ID)) == 60


def test_exp_stands_on_the_provider_s_clock() -> None:
    ahead = answer(id_token=unsigned(exp=NOW + 100 + 60), headers=date(NOW + 100))
    assert 59 <= ends(read(ahead, ID)) <= 60
    behind = answer(id_token=unsigned(exp=NOW - 100 + 60), headers=date(NOW - 100))
    assert 59 <= ends(read(behind, ID)) <= 60


def test_a_clock_more_than_half_a_minute_off_is_reported() -> None:
    token = read(answer(id_token=unsigned(exp=NOW + 160), headers=date(NOW + 100)), ID)
    assert "101 s ahead" in token.warnings[0]
    token = read(answer(id_token=unsigned(exp=NOW + 160), headers=date(NOW - 100)), ID)
    assert "99 s behind" in token.warnings[0]
    assert read(answer(id_token=unsigned(exp=NOW + 80), headers=date(NOW + 20)), ID).warnings == ()


@pytest.mark.parametrize("text", ["", "now", "Tue, 99 Nov 2023 22:13:20 GMT", "0"])
def test_a_date_that_is_none_tells_no_skew(text: str) -> None:
    assert skew(answer(headers={"date": text})) == 0


@given(
    phase=st.floats(0, 1), took=st.floats(0, 10), way=st.floats(0, 1), ahead=st.floats(-1e6, 1e6)
)
def test_skew_is_never_less_than_it_is_nor_much_more(
    phase: float, took: float, way: float, ahead: float
) -> None:
    sent = Moment(0.0, NOW + phase)
    given_answer = answer(headers=date(sent.wall + way * took + ahead), took=took)
    found = skew(type(given_answer)(200, given_answer.headers, b"", sent, sent.later(took)))
    if found == 0:
        assert -1 - took - 1e-3 <= ahead <= 1 + took + 1e-3
    else:
        assert ahead - 1e-3 <= found <= ahead + 1 + took + 1e-3


@given(phase=st.floats(0, 1), took=st.floats(0, 10), way=st.floats(0, 1))
def test_clocks_that_agree_have_no_skew(phase: float, took: float, way: float) -> None:
    sent = Moment(0.0, NOW + phase)
    received = sent.later(took)
    headers = date(min(sent.wall + way * took, received.wall))
    assert skew(type(answer())(200, headers, b"", sent, received)) == 0


@given(st.integers(1, 2**31))
def test_every_sensible_span_is_read_as_number_and_as_string(span: int) -> None:
    assert seconds(span) == seconds(str(span)) == float(span)


@pytest.mark.parametrize("ahead", [-300, 0, 300])
def test_without_a_date_a_token_just_made_tells_the_provider_s_clock(ahead: int) -> None:
    made = int(NOW) + ahead
    token = read(answer(access_token=unsigned(iat=made, exp=made + 60), expires_in=60), ABOUT)
    assert 59 <= ends(token) <= 60
    assert bool(token.warnings) == bool(ahead)


@pytest.mark.parametrize("claims", [{"iat": NOW - 40}, {"iat": "now"}, {"iat": True}, {}])
def test_a_token_made_earlier_or_at_no_time_tells_no_skew(claims: dict[str, object]) -> None:
    token = read(answer(access_token=unsigned(exp=NOW + 20, **claims), expires_in=20), ABOUT)
    assert ends(token) == pytest.approx(20, abs=1)
    assert token.warnings == ()
