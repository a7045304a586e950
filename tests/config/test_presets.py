from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config, Credential, Form, Grant, SignIn
from proxy.oauth.authentication import ClientAuthentication

SECRET = "client_secret: {env: S}"
KEYCLOAK = "/auth/realms/master/protocol/openid-connect/token"


@pytest.fixture
def filled(loaded: Callable[[str], Config]) -> Callable[[str], Credential]:
    def one(keys: str) -> Credential:
        return loaded(f"credentials:\n  a: {{{keys}}}\n").credentials["a"]

    return one


def endpoint(credential: Credential) -> str | None:
    assert credential.provider is not None
    return credential.provider.token_url or credential.provider.issuer


def test_wallaroo_knows_endpoint_and_client(filled: Callable[[str], Credential]) -> None:
    found = filled(f"preset: wallaroo, prefix: a-5, suffix: wallaroo.dev, {SECRET}")
    assert endpoint(found) == f"https://a-5.keycloak.wallaroo.dev{KEYCLOAK}"
    assert (found.client_id, found.grant) == ("api-client", Grant.CLIENT_CREDENTIALS)
    assert found.client_auth is ClientAuthentication.BASIC


def test_wallaroo_needs_no_prefix(filled: Callable[[str], Credential]) -> None:
    found = filled(f"preset: wallaroo, suffix: w.example, {SECRET}")
    assert endpoint(found) == f"https://keycloak.w.example{KEYCLOAK}"


def test_wallaroo_with_a_username_logs_a_person_in(filled: Callable[[str], Credential]) -> None:
    keys = f"preset: wallaroo, suffix: w, {SECRET}, username: mary, password: {{env: P}}"
    assert filled(keys).grant is Grant.PASSWORD


def test_seldon_uses_the_id_token_where_there_is_one(filled: Callable[[str], Credential]) -> None:
    found = filled(f"preset: seldon, host: ml.example.com, {SECRET}")
    assert endpoint(found) == "https://ml.example.com/auth/realms/deploy-realm"
    assert (found.client_id, found.scope) == ("sd-api", "openid")
    assert found.use == ("id_token", "access_token")
    assert found.client_auth is ClientAuthentication.POST
    assert found.grant is Grant.CLIENT_CREDENTIALS


def test_seldon_with_a_person_and_no_secret_is_a_public_client(
    filled: Callable[[str], Credential],
) -> None:
    found = filled("preset: seldon, host: m, username: u, password: {env: P}")
    assert (found.grant, found.client_auth) == (Grant.PASSWORD, ClientAuthentication.NONE)


def test_runai_asks_for_an_id_token_and_sends_the_access_token(
    filled: Callable[[str], Credential],
) -> None:
    found = filled(f"preset: runai, realm: acme, client_id: app, {SECRET}")
    assert endpoint(found) == "https://app.run.ai/auth/realms/acme"
    assert (found.params, found.scope) == ({"response_type": "id_token"}, "openid")
    assert found.use == ("access_token",)
    assert found.client_auth is ClientAuthentication.POST


def test_runais_api_wants_json(filled: Callable[[str], Credential]) -> None:
    found = filled(f"preset: runai-api, host: acme.run.ai, client_id: app, {SECRET}")
    assert endpoint(found) == "https://acme.run.ai/api/v1/token"
    assert found.provider is not None
    assert found.provider.json_names == {
        "grant_type": "grantType",
        "client_id": "clientId",
        "client_secret": "clientSecret",
    }
    assert found.use == ("accessToken",)
    assert found.grant is Grant.CLIENT_CREDENTIALS


@pytest.mark.parametrize("preset", ["kubeflow", "seldon-session"])
def test_kubeflow_and_seldon_have_the_form_of_dex(
    filled: Callable[[str], Credential], preset: str
) -> None:
    found = filled(f"preset: {preset}, url: https://k/, username: u, password: {{env: P}}")
    assert found.grant is Grant.SESSION
    assert found.sign_in == SignIn("https://k/", Form(username="login", password="password"))


def test_a_form_of_ones_own_overrides_the_presets(filled: Callable[[str], Credential]) -> None:
    keys = "preset: kubeflow, url: https://k/, username: u, password: {env: P}, form: "
    found = filled(keys + "{username: user, encoding: multipart}")
    assert found.sign_in is not None
    assert found.sign_in.form == Form(username="user", password=None, encoding="multipart")


def test_seldon_with_neither_secret_nor_person_is_a_login_by_browser(
    loaded: Callable[[str], Config],
) -> None:
    text = "credentials: {a: {preset: seldon, host: ml.example.com}}\nstore: file"
    found = loaded(text).credentials["a"]
    assert (found.grant, found.client_auth) == (
        Grant.AUTHORIZATION_CODE,
        ClientAuthentication.NONE,
    )
    assert found.redirect_uri == "https://ml.example.com/seldon-deploy/auth/callback"
    assert found.paste is True
    assert found.use == ("id_token", "access_token")
    assert found.required is False


def test_seldons_browser_login_may_come_to_us(loaded: Callable[[str], Config]) -> None:
    keys = "preset: seldon, host: m, grant: authorization_code, client_secret: {env: S}"
    text = f"credentials: {{a: {{{keys}, redirect_port: 8400}}}}\nstore: file"
    found = loaded(text).credentials["a"]
    assert found.client_auth is ClientAuthentication.POST
    assert (found.redirect_uri, found.redirect_port, found.paste) == (None, 8400, False)


def test_eggplant_takes_the_downloaded_file(
    filled: Callable[[str], Credential], directory: Path
) -> None:
    (directory / "dai.csv").write_text("client_id,id\nclient_secret,s\ntoken_url,https://d/t\n")
    found = filled("preset: eggplant, credentials_file: dai.csv")
    assert (endpoint(found), found.client_id) == ("https://d/t", "id")
    assert found.client_auth is ClientAuthentication.POST


def test_eggplant_takes_the_login_page(filled: Callable[[str], Credential]) -> None:
    found = filled(
        f"preset: eggplant, login_url: 'https://d/auth/r/auth?c=1', client_id: i, {SECRET}"
    )
    assert endpoint(found) == "https://d/auth/r/token"


def test_a_host_may_bring_a_port_or_plain_http_to_this_machine(
    filled: Callable[[str], Credential],
) -> None:
    keys = f"preset: seldon, {SECRET}, realm: 'a b', host: "
    assert endpoint(filled(keys + "'m:8443'")) == "https://m:8443/auth/realms/a%20b"
    local = endpoint(filled(keys + "'http://127.0.0.1:9'"))
    assert local == "http://127.0.0.1:9/auth/realms/a%20b"


def test_anything_a_preset_fills_can_be_overridden(filled: Callable[[str], Credential]) -> None:
    found = filled(
        f"preset: runai, token_url: https://other/t, client_id: app, {SECRET}, client_auth: basic, "
        "scope: a, params: {x: y}, use: id_token"
    )
    assert endpoint(found) == "https://other/t"
    assert (found.scope, found.params, found.use) == ("a", {"x": "y"}, ("id_token",))
    assert found.client_auth is ClientAuthentication.BASIC


def test_a_providers_endpoint_overrides_the_presets(loaded: Callable[[str], Config]) -> None:
    text = f"""\
        providers: {{p: {{issuer: https://own}}}}
        credentials:
          a: {{preset: wallaroo, provider: p, {SECRET}}}
        """
    assert endpoint(loaded(text).credentials["a"]) == "https://own"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (f"preset: wallaroo, {SECRET}", "2:3: preset wallaroo asks for `suffix`"),
        (f"preset: wallaroo, suffix: 'a b', {SECRET}", "2:33: `prefix` and `suffix` must make a"),
        ("preset: wallaroo, suffix: w", "2:3: grant client_credentials needs `client_secret`"),
        (f"preset: wallaroo, suffix: w, {SECRET}, username: u", "grant password needs `password`"),
        (f"preset: seldon, {SECRET}", "2:3: preset seldon asks for `host`"),
        (f"preset: seldon, host: 'a/b', {SECRET}", "2:29: `host` must be a host name"),
        (f"preset: seldon, host: 'http://a', {SECRET}", "`host` sends secrets over plain http"),
        ("preset: runai-api, client_id: a, client_secret: {env: S}", "asks for `host`"),
        ("preset: kubeflow, url: https://k, username: u", "2:3: grant session needs `password`"),
        ("preset: seldon-session, username: u, password: {env: P}", "session needs `url`"),
        ("preset: kubeflow, url: 'http://k', username: u, password: {env: P}",
         "`url` sends secrets over plain http"),
        ("preset: kubeflow, url: https://k, username: u, password: {env: P}, scope: openid",
         "`scope` has no meaning for grant session: it only has a login page"),
        (f"preset: runai, client_id: a, {SECRET}", "2:3: preset runai asks for `realm`"),
        (f"preset: runai, realm: a, {SECRET}", "2:3: `client_id` is missing"),
        ("preset: eggplant", "2:3: preset eggplant asks for `credentials_file`, or login_url"),
        (f"preset: eggplant, login_url: https://d/auth, {SECRET}", "2:3: `client_id` is missing"),
        (f"preset: runai, realm: a, suffix: b, client_id: a, {SECRET}",
         "2:32: `suffix` belongs to preset wallaroo"),
        (f"preset: wallaro, {SECRET}", "2:15: `preset` must be one of wallaroo, seldon, "
         "seldon-session, runai, runai-api, eggplant, kubeflow; did you mean `wallaroo`?"),
    ],
)  # fmt: skip
def test_what_a_preset_asks_for_in_vain_is_one_mistake(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    (found,) = problems(f"credentials:\n  a: {{{keys}}}\n")
    assert expected in found
