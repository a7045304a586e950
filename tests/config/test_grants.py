from collections.abc import Callable

import pytest

from proxy.config.model import (
    Config,
    Credential,
    EnvSecret,
    FileSecret,
    Form,
    FromCredential,
    FromRequest,
    Grant,
    KeyringSecret,
    SignIn,
    Signing,
)

T = "token_url: https://i/t, client_id: me"
C = f"{T}, grant: authorization_code, authorize_url: https://i/a"
X = f"{T}, grant: token_exchange"
J = f"{T}, grant: jwt_bearer"
S = "grant: session, url: https://app/, username: u, password: {env: P}"
URN = "urn:ietf:params:oauth:token-type:"


def credential(keys: str) -> str:
    return f"credentials:\n  a: {{{keys}}}\nstore: file\n"


@pytest.fixture
def read(loaded: Callable[[str], Config]) -> Callable[[str], Credential]:
    return lambda keys: loaded(credential(keys)).credentials["a"]


def test_a_code_comes_back_to_us_on_loopback(read: Callable[[str], Credential]) -> None:
    found = read(f"{C}, redirect_port: 8400")
    assert found.grant is Grant.AUTHORIZATION_CODE
    assert found.provider is not None
    assert found.provider.authorize_url == "https://i/a"
    assert (found.redirect_uri, found.redirect_port, found.paste) == (None, 8400, False)


@pytest.mark.parametrize(
    ("uri", "paste"),
    [
        ("http://127.0.0.1:8400/cb", False),
        ("http://localhost/cb", False),
        ("http://[::1]:8400/cb", False),
        ("https://127.0.0.1:8400/cb", True),
        ("https://ml.example.com/seldon-deploy/auth/callback", True),
        ("urn:ietf:wg:oauth:2.0:oob", True),
        ("com.example.app:/cb", True),
    ],
)
def test_a_code_that_does_not_come_here_is_pasted(
    read: Callable[[str], Credential], uri: str, *, paste: bool
) -> None:
    found = read(f"{C}, redirect_uri: '{uri}'")
    assert (found.redirect_uri, found.paste) == (uri, paste)


def test_a_code_can_be_pasted_wherever_it_comes(read: Callable[[str], Credential]) -> None:
    assert read(f"{C}, paste: true").paste is True
    assert read(f"{C}, redirect_uri: 'http://127.0.0.1/', paste: true").paste is True


def test_a_login_pages_address_is_where_the_browser_goes(
    read: Callable[[str], Credential],
) -> None:
    found = read("login_url: 'https://i/x/auth?client_id=1', client_id: me, grant: "
                 "authorization_code")  # fmt: skip
    assert found.provider is not None
    assert found.provider.authorize_url == "https://i/x/auth"
    assert found.provider.token_url == "https://i/x/token"


@pytest.mark.parametrize(
    "keys",
    [
        C,
        "issuer: https://i, client_id: me, grant: authorization_code",
        "issuer: https://i, client_id: me, grant: device_code",
        f"{T}, grant: device_code, device_url: https://i/d",
        f"{X}, subject: request",
    ],
)
def test_nothing_waits_for_a_person_or_a_caller(
    read: Callable[[str], Credential], keys: str
) -> None:
    assert read(keys).required is False


def test_readiness_may_wait_for_a_person(read: Callable[[str], Credential]) -> None:
    assert read(f"{C}, required: true").required is True


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{file: /x}", FileSecret),
        ("{env: X}", EnvSecret),
        ("{keyring: a/b}", KeyringSecret),
        ("request", FromRequest),
    ],
)
def test_a_subject_has_many_places(
    read: Callable[[str], Credential], written: str, meant: type
) -> None:
    found = read(f"{X}, subject: {written}")
    assert isinstance(found.subject, meant)
    assert found.subject_type is None


def test_token_types_have_short_names(read: Callable[[str], Credential]) -> None:
    found = read(
        f"{X}, subject: request, subject_type: id_token, requested_type: 'urn:x:y',"
        " actor: {env: A}, actor_type: jwt"
    )
    assert (found.subject_type, found.requested_type) == (f"{URN}id_token", "urn:x:y")
    assert found.actor_type == f"{URN}jwt"


def test_the_token_of_another_credential_is_exchanged(loaded: Callable[[str], Config]) -> None:
    text = f"""\
        credentials:
          a: {{{X}, subject: {{credential: b}}, actor: {{credential: c}}}}
          b: {{grant: static, token: {{env: T}}}}
          c: {{{X}, subject: {{credential: b}}}}
        """
    found = loaded(text).credentials["a"]
    assert (found.subject, found.actor) == (FromCredential("b"), FromCredential("c"))


def test_what_jwt_bearer_exchanges_is_ready_or_signed_here(
    read: Callable[[str], Credential],
) -> None:
    ready = read(f"{J}, assertion: {{file: /a}}")
    assert isinstance(ready.assertion, FileSecret)
    assert (ready.signing, ready.client_assertion) == (None, None)
    keys = "private_key: {file: /k}, key_id: '1', algorithm: ES256, claims: {iss: i, aud: [a, b]}"
    signed = read(f"{J}, {keys}")
    assert signed.assertion is None
    assert signed.client_signing is None
    assert isinstance(signed.signing, Signing)
    assert (signed.signing.key_id, signed.signing.algorithm) == ("1", "ES256")
    assert signed.signing.claims == {"iss": "i", "aud": ["a", "b"]}


def test_one_key_may_sign_for_the_client_and_for_the_grant(
    read: Callable[[str], Credential],
) -> None:
    found = read(
        f"{J}, client_auth: private_key_jwt, private_key: {{file: /k}}, claims: {{iss: i, aud: a}}"
    )
    assert found.signing is not None
    assert found.client_signing is not None
    assert found.client_signing.claims == {}
    ready = read(
        f"{J}, client_auth: private_key_jwt, private_key: {{file: /k}}, assertion: {{file: /a}}"
    )
    assert ready.signing is None
    assert ready.client_signing is not None
    assert ready.assertion is not None


def test_a_federated_clients_assertion_is_not_the_grants(
    read: Callable[[str], Credential],
) -> None:
    found = read(
        f"{J}, client_auth: federated, assertion: {{file: /a}}, private_key: {{file: /k}}, "
        "claims: {iss: i, aud: a}"
    )
    assert isinstance(found.client_assertion, FileSecret)
    assert found.assertion is None
    assert found.signing is not None


def test_a_session_has_a_login_page(read: Callable[[str], Credential]) -> None:
    found = read(f"{S}, tls: {{verify: false}}, proxy: none")
    assert found.sign_in == SignIn("https://app/")
    assert (found.username, found.client_id) == ("u", None)
    assert found.provider is not None
    assert (found.provider.tls.verify, found.provider.token_url) == (False, None)
    more = read(
        f"{S}, form: {{username: login, encoding: multipart}}, connector: local, cookies: [s, t]"
    )
    form = Form(username="login", password=None, encoding="multipart")
    assert more.sign_in == SignIn("https://app/", form, "local", ("s", "t"))
    assert read(f"{S}, cookies: s").sign_in == SignIn("https://app/", cookies=("s",))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (f"{T}, grant: authorization_code", "grant authorization_code needs `authorize_url` or"),
        (f"{T}, grant: device_code", "grant device_code needs `device_url` or `issuer`"),
        ("client_id: me, grant: device_code, device_url: https://i/d", "there is no token_url"),
        (f"{C}, redirect_uri: nowhere", "`redirect_uri` must be a URI such as http://127.0.0.1"),
        (f"{C}, redirect_uri: 'https://a/#b'", "`redirect_uri` must not have a fragment"),
        (f"{C}, redirect_uri: 'http://a/'", "`redirect_uri` sends secrets over plain http"),
        (f"{C}, redirect_uri: 'http://a:b/'", "`redirect_uri` must be a URL with a right host"),
        (f"{C}, redirect_uri: 'https://a/', paste: false", "`paste: false` can't be"),
        (f"{C}, redirect_uri: 'http://127.0.0.1/', redirect_port: 1", "exclude each other"),
        (f"{C}, redirect_port: 0", "`redirect_port` must be a port from 1 to 65535"),
        (f"{C}, redirect_port: 65536", "`redirect_port` must be a port from 1 to 65535"),
        (f"{C}, device_url: https://i/d", "`device_url` belongs to grant device_code"),
        (f"{T}, grant: authorization_code, authorize_url: 'http://i/a'",
         "`authorize_url` sends secrets over plain http"),
        (f"{C}, revocation_url: 'http://i/a'", "`revocation_url` sends secrets over plain http"),
        (f"{C}, jwks_url: 'http://i/a'", "`jwks_url` sends secrets over plain http"),
        (X, "grant token_exchange needs `subject`"),
        (f"{X}, subject: requets", "`subject` must be request, a secret, or {credential: NAME}; "
         "did you mean `request`?"),
        (f"{X}, subject: {{credential: [b]}}", "`credential` must be text"),
        (f"{X}, subject: {{credental: b}}", "unknown key; a token has env, file, keyring, "
         "vault, command, systemd and credential; did you mean `credential`?"),
        (f"{X}, subject: {{credential: b, env: E}}", "`subject` must have exactly one of"),
        (f"{X}, subject: request, actor: {{vault: a}}", "`vault` must be path#field"),
        (f"{X}, subject: request, required: true", "`required` can't wait for a token that"),
        (f"{X}, subject: request, subject_type: acess_token", "did you mean `access_token`?"),
        (f"{X}, subject: request, actor_type: jwt", "`actor_type` has no meaning without `actor`"),
        (f"{T}, client_secret: {{env: S}}, actor_type: jwt", "`actor_type` belongs to grant"),
        (f"{T}, client_secret: {{env: S}}, subject: request", "`subject` belongs to grant"),
        (J, "grant jwt_bearer needs `assertion` or `private_key`"),
        (f"{J}, private_key: {{file: k}}", "grant jwt_bearer needs `claims` to sign: iss, sub"),
        (f"{J}, private_key: {{file: k}}, assertion: {{file: a}}", "exclude each other: keep one"),
        (f"{J}, claims: {{iss: a, aud: b}}, assertion: {{file: a}}", "`claims` has no meaning"),
        ("token_url: https://i/t, grant: jwt_bearer, private_key: {file: k}, claims: {sub: a}",
         "`claims` needs `iss` where no client_id says it"),
        (f"{J}, private_key: {{file: k}}, claims: {{iss: a, aud: b, exp: 3}}", "`exp` is set anew"),
        (f"{J}, private_key: {{file: k}}, claims: [a]", "`claims` must be a mapping of claims"),
        (f"{J}, private_key: {{file: k}}, claims: {{iss: a, aud: b}}, algorithm: none",
         "`algorithm` must be one of RS256"),
        (f"{J}, client_auth: federated, assertion: {{file: k}}", "jwt_bearer needs `private_key`"),
        ("grant: session, username: u, password: {env: P}", "grant session needs `url`"),
        ("grant: session, url: https://a, password: {env: P}", "grant session needs `username`"),
        (S.replace("https", "http"), "`url` sends secrets over plain http to another machine"),
        (f"{S}, client_id: a", "`client_id` has no meaning for grant session: it only has a login"),
        (f"{S}, issuer: https://i", "`issuer` has no meaning for grant session"),
        (f"{S}, form: {{user: a}}", "unknown key `user`; did you mean `username`?"),
        (f"{S}, form: {{encoding: json}}", "`encoding` must be one of urlencoded, multipart"),
        (f"{S}, cookies: ['a b']", "`cookies` must be made of letters"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_grant_is_located_and_explained(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    (found,) = problems(credential(keys))
    assert found.startswith("2:")
    assert expected in found


@pytest.mark.parametrize("grant", ["authorization_code", "device_code"])
def test_a_persons_login_needs_a_store_that_outlives_the_process(
    problems: Callable[[str], list[str]], grant: str
) -> None:
    (found,) = problems(f"credentials:\n  a: {{issuer: https://i, client_id: a, grant: {grant}}}\n")
    assert found.startswith(f"2:3: grant {grant} keeps a person's login in the store, and memory")
    assert "set `store: {file: …}`" in found


def test_a_store_that_is_wrong_itself_is_one_mistake(problems: Callable[[str], list[str]]) -> None:
    (found,) = problems(
        "credentials:\n  a: {issuer: https://i, client_id: a, grant: device_code}\nstore: fiel\n"
    )
    assert "`store` must be one of memory, file; did you mean `file`?" in found


BORROWING = f"""\
credentials:
  a: {{{X}, subject: {{credential: WHOSE}}}}
  per-caller: {{{X}, subject: request}}
  session: {{{S}}}
  back: {{{X}, actor: {{credential: a}}, subject: {{credential: fixed}}}}
  fixed: {{grant: static, token: {{env: T}}}}
"""


@pytest.mark.parametrize(
    ("whose", "expected"),
    [
        ("fixd", "`credential` names `fixd`, which is not in credentials; did you mean `fixed`?"),
        ("per-caller", "`credential` names `per-caller`, which has a token for each caller"),
        ("session", "`credential` names `session`, a session: its cookies are no token"),
        ("back", "`credential` goes round: a → back → a"),
        ("a", "`credential` goes round: a → a"),
    ],
)
def test_a_token_that_nobody_can_lend_is_one_mistake(
    problems: Callable[[str], list[str]], whose: str, expected: str
) -> None:
    (found,) = problems(BORROWING.replace("WHOSE", whose))
    assert found.startswith("2:91: ")
    assert expected in found


def test_a_lender_that_is_wrong_itself_is_one_mistake(
    problems: Callable[[str], list[str]],
) -> None:
    text = f"credentials:\n  a: {{{X}, subject: {{credential: b}}}}\n  b: nonsense\n"
    assert problems(text) == ["3:6: `b` must be a mapping of keys"]
