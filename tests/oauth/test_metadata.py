from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import metadata
from tests.support.answers import answer

ISSUER = "https://id.example/realms/a"
ENDPOINT = "https://id.example/realms/a/token"


def document(status: int = 200, **fields: object) -> Answer:
    return answer({"issuer": ISSUER, "token_endpoint": ENDPOINT} | fields, status=status)


def distrusted(given: Answer, issuer: str = ISSUER) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        metadata.read(given, issuer)
    return caught.value


@pytest.mark.parametrize(
    ("issuer", "first", "second"),
    [
        (
            "https://h/realms/a",
            "https://h/realms/a/.well-known/openid-configuration",
            "https://h/.well-known/oauth-authorization-server/realms/a",
        ),
        (
            "https://h/realms/a/",
            "https://h/realms/a/.well-known/openid-configuration",
            "https://h/.well-known/oauth-authorization-server/realms/a",
        ),
        (
            "https://h:8443",
            "https://h:8443/.well-known/openid-configuration",
            "https://h:8443/.well-known/oauth-authorization-server",
        ),
        (
            "https://h/",
            "https://h/.well-known/openid-configuration",
            "https://h/.well-known/oauth-authorization-server",
        ),
    ],
)
def test_the_document_has_two_places(issuer: str, first: str, second: str) -> None:
    assert [one.url for one in metadata.requests(issuer)] == [first, second]
    assert [one.method for one in metadata.requests(issuer)] == ["GET", "GET"]


def test_a_good_document_names_the_token_endpoint() -> None:
    assert metadata.read(document(), ISSUER).token_endpoint == ENDPOINT


@pytest.mark.parametrize(
    "said", [ISSUER + "/", ISSUER.upper(), "https://evil.example", "", None, 5, [ISSUER]]
)
def test_another_issuer_s_document_is_not_believed(said: object) -> None:
    error = distrusted(document(issuer=said))
    assert error.failure is Failure.SLOW
    assert error.reason == "discovery"
    assert "set issuer to exactly" in str(error)


def test_the_message_shows_what_the_provider_calls_itself() -> None:
    assert f"{ISSUER}/;" in str(distrusted(document(issuer=ISSUER + "/")))


def test_a_hostile_issuer_is_shown_clean() -> None:
    error = distrusted(document(issuer="https://u:canary@evil\n\x1b/?canary" + "x" * 9999))
    assert "canary" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    "said",
    [None, 5, "", "token", "//h/token", "ftp://h/t", "https://", "https://[::1/t", "https://h:x/t",
     "https://h:0/t", "https://a:b@h/t", "https://h/\n", "https://é/t"],
)  # fmt: skip
def test_a_token_endpoint_must_be_a_url(said: object) -> None:
    assert distrusted(document(token_endpoint=said)).reason == "discovery"


def test_who_shows_a_certificate_is_sent_to_the_endpoints_for_that() -> None:
    names = ("token", "device_authorization", "revocation")
    usual = {f"{name}_endpoint": f"https://id.example/{name}" for name in names}
    aliases = {f"{name}_endpoint": f"https://mtls.id.example/{name}" for name in names}
    aliases["authorization_endpoint"] = "https://mtls.id.example/no-browser-goes-here"
    both = document(
        **usual, authorization_endpoint="https://id.example/", mtls_endpoint_aliases=aliases
    )
    without = metadata.read(both, ISSUER)
    with_one = metadata.read(both, ISSUER, with_certificate=True)
    assert without.token_endpoint == "https://id.example/token"
    assert [getattr(with_one, f"{name}_endpoint") for name in names] == [
        f"https://mtls.id.example/{name}" for name in names
    ]
    assert with_one.authorization_endpoint == "https://id.example/"


@pytest.mark.parametrize(
    "said", [None, [], "https://mtls.id.example/", {}, {"token_endpoint": None}]
)
def test_without_aliases_a_certificate_goes_to_the_usual_endpoint(said: object) -> None:
    found = metadata.read(document(mtls_endpoint_aliases=said), ISSUER, with_certificate=True)
    assert found.token_endpoint == ENDPOINT


def test_a_token_endpoint_must_be_https() -> None:
    plain = document(token_endpoint="http://id.example/token?x")
    error = distrusted(plain)
    assert "without https" in str(error)
    assert metadata.read(plain, ISSUER, allow_insecure=True).token_endpoint.startswith("http:")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1.2.3", "id.localhost"])
def test_loopback_needs_no_https(host: str) -> None:
    assert metadata.read(document(token_endpoint=f"http://{host}:1/t"), ISSUER)


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0"])
def test_what_only_looks_like_loopback_does(host: str) -> None:
    assert distrusted(document(token_endpoint=f"http://{host}/t")).reason == "discovery"


@pytest.mark.parametrize(
    ("status", "failure"),
    [(404, Failure.SLOW), (403, Failure.SLOW), (302, Failure.SLOW), (503, Failure.TRANSIENT)],
)
def test_a_missing_document_says_what_to_do(status: int, failure: Failure) -> None:
    error = distrusted(document(status=status))
    assert error.failure is failure
    assert error.reason == f"http_{status}"
    assert "set token_url" in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_a_page_is_no_document(body: bytes) -> None:
    assert not metadata.is_present(answer(body))
    assert distrusted(answer(body)).reason == "unreadable"


@given(
    st.dictionaries(
        st.sampled_from(["issuer", "token_endpoint"]),
        st.text() | st.none() | st.integers() | st.just(ISSUER) | st.text().map("https://".__add__),
    )
)
def test_whatever_the_document_says_it_is_believed_or_explained(fields: dict[str, object]) -> None:
    try:
        found = metadata.read(answer(json.dumps(fields).encode()), ISSUER)
    except TokenRequestError as error:
        said = str(error)
    else:
        said = "printable"
        assert found.token_endpoint.startswith("https://")
    assert said.isprintable()
