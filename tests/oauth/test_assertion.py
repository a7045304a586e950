from __future__ import annotations

from proxy.oauth.assertion import client_claims, grant_claims


def test_a_client_speaks_for_itself_once_and_for_a_minute() -> None:
    assert client_claims("me", "https://id.example", 1000.9, "once") == {
        "iss": "me",
        "sub": "me",
        "aud": "https://id.example",
        "iat": 1000,
        "exp": 1060,
        "jti": "once",
    }


def test_a_grant_says_what_is_configured_and_is_addressed_to_the_provider() -> None:
    assert grant_claims({"sub": "mary"}, "me", "https://id.example", 1000, "once") == {
        "iss": "me",
        "sub": "mary",
        "aud": "https://id.example",
        "iat": 1000,
        "exp": 1300,
        "jti": "once",
    }


def test_configured_claims_win_but_time_and_jti_are_ours() -> None:
    written = {"iss": "robot", "aud": ["a", "b"], "scope": "x", "exp": 5, "iat": 5, "jti": "again"}
    claims = grant_claims(written, None, "https://id.example", 1000, "once")
    assert (claims["iss"], claims["aud"], claims["scope"]) == ("robot", ["a", "b"], "x")
    assert (claims["iat"], claims["exp"], claims["jti"]) == (1000, 1300, "once")
