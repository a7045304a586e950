"""Whether the API's check of a token is as strict as the demonstration claims."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from proxy.demo.bearer import UnauthorizedError, Verifier
from proxy.demo.provider import AUDIENCE, Provider


def reason(verifier, *fields):
    with pytest.raises(UnauthorizedError) as refusal:
        verifier.verify(fields)
    return refusal.value.reason


def test_a_fresh_token_is_accepted_with_what_it_has_left(desk, verifier, wall):
    token = desk.token()
    wall.seconds += 2.5
    caller = verifier.verify([f"Bearer {token}"])
    assert caller.subject == "api-client"
    assert caller.left == pytest.approx(3.5)


def test_the_scheme_may_be_in_any_case(desk, verifier):
    assert verifier.verify([f"bearer {desk.token()}"]).subject == "api-client"


def test_a_token_is_good_until_its_very_end_and_not_a_moment_longer(desk, verifier, wall):
    field = f"Bearer {desk.token()}"
    wall.seconds += 5.999
    verifier.verify([field])
    wall.seconds += 0.001
    assert reason(verifier, field) == "expired"


def test_a_request_without_a_token_is_refused_as_missing(verifier):
    assert reason(verifier) == "missing"


@pytest.mark.parametrize(
    "field", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a.b.c", "Bearer ."]
)
def test_what_is_no_token_is_refused(verifier, field):
    assert reason(verifier, field) == "invalid"


def test_two_tokens_are_refused_even_if_both_are_good(desk, verifier):
    assert reason(verifier, f"Bearer {desk.token()}", f"Bearer {desk.token()}") == "invalid"


def test_a_changed_signature_is_refused(desk, verifier):
    head, body, signature = desk.token().split(".")
    other = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    assert reason(verifier, f"Bearer {head}.{body}.{other}") == "invalid"


def test_a_token_signed_with_somebody_elses_key_is_refused(desk, provider, verifier):
    (public,) = provider.jwks()["keys"]
    said = jwt.decode(desk.token(), RSAKey.import_key(public), algorithms=["RS256"]).claims
    thief = RSAKey.generate_key(2048)
    forged = jwt.encode({"alg": "RS256", "kid": public["kid"]}, said, thief)
    assert reason(verifier, f"Bearer {forged}") == "invalid"


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(provider, verifier, wall):
    (public,) = provider.jwks()["keys"]
    said = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "x", "jti": "x", "exp": int(wall()) + 9}
    shared = OctKey.import_key(public["n"])
    forged = jwt.encode({"alg": "HS256", "kid": public["kid"]}, said, shared, algorithms=["HS256"])
    assert reason(verifier, f"Bearer {forged}") == "invalid"


def test_a_good_token_for_another_audience_is_refused(desk, provider, wall):
    other = Verifier(provider.jwks(), issuer=provider.issuer, audience="another", wall=wall)
    assert reason(other, f"Bearer {desk.token()}") == "invalid"


def test_a_good_token_of_another_issuer_is_refused(desk, provider, wall):
    other = Verifier(provider.jwks(), issuer="http://other", audience=AUDIENCE, wall=wall)
    assert reason(other, f"Bearer {desk.token()}") == "invalid"


def test_a_token_of_a_provider_with_another_key_is_refused(verifier, wall):
    twin = Provider(
        "http://127.0.0.1:1/realms/demo", clients={"x": "y"}, users={}, lifetime=6, wall=wall
    )
    form = "grant_type=client_credentials&client_id=x&client_secret=y"
    token = twin.token(form, None).body["access_token"]
    assert reason(verifier, f"Bearer {token}") == "invalid"


def test_the_ledger_tells_who_came_with_how_many_tokens_and_how_close_to_the_end(
    desk, verifier, wall
):
    first, second = desk.token(), desk.token()
    verifier.verify([f"Bearer {first}"])
    wall.seconds += 4
    verifier.verify([f"Bearer {first}"])
    verifier.verify([f"Bearer {second}"])
    reason(verifier)
    wall.seconds += 4
    reason(verifier, f"Bearer {first}")
    assert verifier.ledger() == {
        "accepted": {"api-client": 3},
        "refused": {"missing": 1, "expired": 1},
        "tokens": {"api-client": 2},
        "least": {"api-client": 2.0},
    }
