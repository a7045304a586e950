from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.model import EnvSecret, FileSecret, Grant
from proxy.draft.curl import from_curl
from proxy.draft.envoy import from_envoy
from proxy.draft.oauth2_proxy import from_oauth2_proxy
from proxy.errors import SidecarError
from proxy.oauth.authentication import ClientAuthentication
from tests.draft.conftest import CANARY, Desk

UPSTREAM = ("--upstream", "https://api.example.com/")
TOKEN = "https://login.example.com/auth/realms/master/protocol/openid-connect/token"
SCRIPT = f"""\
# It's how we get a token
$ TOKEN=$(curl -sSX POST "{TOKEN}" \\
    -u 'api-client:{CANARY}' --cacert ca.pem \\
    -H "Content-Type: application/x-www-form-urlencoded" \\
    -d grant_type=client_credentials --data-urlencode 'scope=openid a&b' | jq -r .access_token)
$ curl --fail -H "Authorization: Bearer $TOKEN" --data @x.json https://api.example.com/v1/x?y=z
"""


def test_a_script_becomes_a_credential_and_its_route(desk: Desk) -> None:
    assert "ca.pem" in desk.wrong("--curl", desk.written("s.sh", SCRIPT))
    said = desk.right("--curl", desk.written("s.sh", SCRIPT.replace("--cacert ca.pem", "")))
    found = desk.credential
    assert found.provider is not None
    assert found.provider.token_url == TOKEN
    assert (found.client_id, found.scope) == ("api-client", "openid a&b")
    assert found.client_auth is ClientAuthentication.BASIC
    assert desk.upstream == "https://api.example.com/"
    assert said == (
        "token-sidecar.secrets/api.client_secret: the client_secret, readable by you alone\n"
    )
    assert CANARY not in desk.text


@pytest.mark.parametrize(
    "options",
    [
        f"-d grant_type=client_credentials -d client_id=me -d client_secret={CANARY}",
        f"--data 'grant_type=client_credentials&client_id=me&client_secret={CANARY}'",
        f"--data-raw=grant_type=client_credentials -dclient_id=me -d 'client_secret={CANARY}'",
        f"--data-urlencode client_id=me --data-urlencode client_secret={CANARY} "
        "-d grant_type=client_credentials",
    ],
)
def test_a_client_may_stand_in_the_body(desk: Desk, options: str) -> None:
    text = f"curl {TOKEN} {options}"
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    assert desk.credential.client_auth is ClientAuthentication.POST
    assert desk.credential.client_id == "me"


def test_a_client_may_stand_in_an_encoded_header(desk: Desk) -> None:
    header = "authorization: Basic bWU6S2FuYXJpZW4tdjBnZWw="
    text = f"curl {TOKEN} -H '{header}' -d grant_type=client_credentials"
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    assert desk.credential.client_id == "me"
    kept = desk.directory / "token-sidecar.secrets/api.client_secret"
    assert kept.read_text() == f"{CANARY}\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_what_curl_sends_as_it_is_stays_as_it_is(desk: Desk) -> None:
    text = f"curl {TOKEN} -u 'a/b:c+d' -d grant_type=client_credentials"
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    assert desk.credential.client_auth is ClientAuthentication.BASIC_RAW


def test_variables_of_the_shell_are_where_the_secrets_are(desk: Desk) -> None:
    person = "-d grant_type=password -d username=mary -d password=$PW"
    text = f'curl {TOKEN} -u "me:${{CLIENT_SECRET}}" {person}'
    said = desk.right("--curl", "-", *UPSTREAM, stdin=text)
    secret, password = desk.credential.client_secret, desk.credential.password
    assert isinstance(secret, EnvSecret)
    assert isinstance(password, EnvSecret)
    assert (secret.name, password.name) == ("CLIENT_SECRET", "PW")
    assert "environment variable PW is not set yet" in said


def test_a_placeholder_is_asked_for(desk: Desk) -> None:
    text = f"curl {TOKEN} -u '<client-id>:<secret>' -d grant_type=client_credentials"
    assert "client_id is missing" in desk.wrong("--curl", "-", *UPSTREAM, stdin=text)
    flags = ("--set", "client_id=me", "--secret", "client_secret=env:S")
    said = desk.right("--curl", "-", *UPSTREAM, *flags, stdin=text)
    assert "client_id is a placeholder in the curl command" in said


def test_a_json_request_keeps_its_names(desk: Desk) -> None:
    client = f'"clientId": "app", "clientSecret": "{CANARY}"'
    text = f"""\
    curl --location 'https://acme.run.ai/api/v1/token' --header 'Content-Type: application/json' \\
      --data-raw '{{"grantType": "client_credentials", {client}}}'
    """
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    found = desk.credential
    assert found.provider is not None
    assert found.provider.json_names == {
        "grant_type": "grantType",
        "client_id": "clientId",
        "client_secret": "clientSecret",
    }
    assert (found.client_id, found.use) == ("app", ("accessToken",))
    assert CANARY not in desk.text


def test_a_token_in_a_command_is_a_static_credential(desk: Desk) -> None:
    text = f"curl -H 'Authorization: Bearer {CANARY}' https://api.example.com/v1/x"
    desk.right("--curl", "-", stdin=text)
    assert desk.credential.grant is Grant.STATIC
    assert isinstance(desk.credential.token, FileSecret)
    assert desk.upstream == "https://api.example.com/"


def test_a_bare_token_goes_bare(desk: Desk) -> None:
    desk.right("--curl", "-", stdin=f"curl -H 'Authorization: {CANARY}' https://api.example.com/")
    assert desk.config.routes[0].scheme == ""


def test_a_refresh_token_wants_a_store_that_lasts(desk: Desk) -> None:
    text = f"curl {TOKEN} -d grant_type=refresh_token -d client_id=me -d refresh_token={CANARY}"
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    assert desk.credential.grant is Grant.REFRESH_TOKEN
    assert desk.config.store is not None


def test_a_code_becomes_a_login(desk: Desk) -> None:
    text = (
        f"curl {TOKEN} -d grant_type=authorization_code -d code={CANARY} -d client_id=sd-api "
        "-d redirect_uri=https://ml.example.com/seldon-deploy/auth/callback"
    )
    flags = ("--set", "authorize_url=https://login.example.com/auth")
    said = desk.right("--curl", "-", *UPSTREAM, *flags, stdin=text)
    assert desk.credential.grant is Grant.AUTHORIZATION_CODE
    assert desk.credential.paste
    assert "a code is good once" in said


def test_ways_out_and_further_fields_are_kept(desk: Desk) -> None:
    text = (
        f"curl -k -x egress:3128 {TOKEN} -u me:x -d grant_type=client_credentials "
        "-d audience=a -d response_type=id_token"
    )
    desk.right("--curl", "-", *UPSTREAM, stdin=text)
    found = desk.credential
    assert found.provider is not None
    assert found.provider.egress.url == "http://egress:3128"
    assert found.provider.tls.verify is False
    assert (found.audience, found.params) == (("a",), {"response_type": "id_token"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "there is no curl command in it"),
        (f"wget {CANARY}", "there is no curl command in it"),
        (f"curl '{CANARY}", "a quote is never closed"),
        (f"curl -u me:{CANARY}", "a curl command has no URL"),
        ("curl https://a -u", "curl's -u has no value"),
        ("curl https://a --data", "curl's --data has no value"),
        (f"curl https://a -H 'X: {CANARY}'", "no curl command in it asks for a token"),
        (f"curl https://a -d grant_type={CANARY}", "the grant_type in the curl command is none"),
        (f"curl https://a/token -u a:b -d '{{\"a\": {CANARY}'", "begins like JSON and is none"),
        (f"curl https://a/token -u a:b -d '{{\"clientId\": [\"{CANARY}\"]}}'", "more than text"),
        (f"curl https://a/token -u a:b -d @{CANARY}", "from a file: paste what is in it"),
        (f"curl https://a/token -H 'Authorization: Basic {CANARY}' -d grant_type=password",
         "followed by no Base64"),
    ],
)  # fmt: skip
def test_rubbish_is_told_from_a_curl_command(desk: Desk, text: str, expected: str) -> None:
    assert expected in desk.wrong("--curl", "-", *UPSTREAM, stdin=text)


INJECTOR = "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3"
OAUTH2 = "type.googleapis.com/envoy.extensions.http.injected_credentials.oauth2.v3.OAuth2"
ADDRESS = "{socket_address: {address: api.example.com, port_value: 443}}"
ENVOY = f"""\
static_resources:
  secrets:
    - name: client-secret
      generic_secret: {{secret: {{inline_string: {CANARY}}}}}
  listeners:
    - name: out
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                http_filters:
                  - name: envoy.filters.http.credential_injector
                    typed_config:
                      "@type": {INJECTOR}.CredentialInjector
                      credential:
                        name: envoy.http.injected_credentials.oauth2
                        typed_config:
                          "@type": {OAUTH2}
                          token_fetch_retry_interval: 5s
                          token_endpoint: {{cluster: idp, timeout: 3s, uri: "{TOKEN}"}}
                          scopes: [openid, profile]
                          client_credentials:
                            client_id: me
                            client_secret: {{name: client-secret}}
                            auth_type: URL_ENCODED_BODY
  clusters:
    - name: idp
      load_assignment: {{cluster_name: idp}}
    - name: api
      transport_socket: {{name: envoy.transport_sockets.tls}}
      load_assignment:
        endpoints: [{{lb_endpoints: [{{endpoint: {{address: {ADDRESS}}}}}]}}]
"""


def test_envoys_credential_injector_maps(desk: Desk) -> None:
    said = desk.right("--envoy", desk.written("envoy.yaml", ENVOY))
    found = desk.credential
    assert found.provider is not None
    assert found.provider.token_url == TOKEN
    assert (found.client_id, found.scope) == ("me", "openid profile")
    assert found.client_auth is ClientAuthentication.POST
    assert desk.upstream == "https://api.example.com/"
    assert "Envoy's token_fetch_retry_interval has no place here" in said
    assert CANARY not in desk.text


@pytest.mark.parametrize(
    ("source", "reference"),
    [("{filename: FILE}", FileSecret), ("{environment_variable: S}", EnvSecret)],
)
def test_envoys_secret_stays_where_it_is(desk: Desk, source: str, reference: type) -> None:
    (desk.directory / "secret").touch(0o600)
    (desk.directory / "secret").write_text("x")
    place = source.replace("FILE", str(desk.directory / "secret"))
    text = ENVOY.replace(f"{{inline_string: {CANARY}}}", place)
    desk.right("--envoy", desk.written("envoy.yaml", text))
    assert isinstance(desk.credential.client_secret, reference)


def test_envoys_secret_discovery_is_asked_for(desk: Desk) -> None:
    text = ENVOY.replace("name: client-secret\n", "name: other\n")
    envoy = desk.written("envoy.yaml", text)
    assert "client_secret is missing" in desk.wrong("--envoy", envoy)
    said = desk.right("--envoy", envoy, "--secret", "client_secret=env:S")
    assert "comes by Envoy's secret discovery" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "envoy.yaml:1:1: the file is empty"),
        (f"[{CANARY}]", "the file must be a mapping"),
        (f"a: [{CANARY}", "not valid YAML"),
        (f"a: {CANARY}", "has no credential_injector with an OAuth2 credential"),
        (ENVOY.replace("client_id: me", f"client_if: {CANARY}"), "has no client_id or no token_"),
        (ENVOY.replace("scopes: [openid, profile]", "scopes:"), "a value is missing"),
    ],
)
def test_rubbish_is_told_from_envoys_configuration(desk: Desk, text: str, expected: str) -> None:
    assert expected in desk.wrong("--envoy", desk.written("envoy.yaml", text))


FLAGS = f"""\
oauth2-proxy --provider=oidc --oidc-issuer-url=https://dex.example.com/dex \\
  --client-id kubeflow --client-secret={CANARY} --scope="openid email" \\
  --cookie-secret={CANARY} --upstream=https://api.example.com/ --skip-provider-button
"""
FILE = f"""\
provider = "oidc"
oidc_issuer_url = "https://dex.example.com/dex"
client_id = "kubeflow"
client_secret = "{CANARY}"
scope = "openid email"
cookie_secret = "{CANARY}"
upstreams = ["https://api.example.com/"]
skip_provider_button = true
"""
VARIABLES = f"""\
OAUTH2_PROXY_PROVIDER=oidc
export OAUTH2_PROXY_OIDC_ISSUER_URL="https://dex.example.com/dex"
OAUTH2_PROXY_CLIENT_ID=kubeflow
OAUTH2_PROXY_CLIENT_SECRET='{CANARY}'
OAUTH2_PROXY_SCOPE="openid email"
OAUTH2_PROXY_COOKIE_SECRET={CANARY}
OAUTH2_PROXY_UPSTREAMS=https://api.example.com/
"""
MANIFEST = f"""\
- --provider=oidc
- --oidc-issuer-url=https://dex.example.com/dex
- --client-id=kubeflow
- --client-secret={CANARY}
- "--scope=openid email"
- --cookie-secret={CANARY}
- --upstream=https://api.example.com/
"""


@pytest.mark.parametrize("text", [FLAGS, FILE, VARIABLES, MANIFEST])
def test_oauth2_proxys_settings_become_a_persons_login(desk: Desk, text: str) -> None:
    said = desk.right("--oauth2-proxy", "-", stdin=text)
    found = desk.credential
    assert found.grant is Grant.AUTHORIZATION_CODE
    assert found.provider is not None
    assert found.provider.issuer == "https://dex.example.com/dex"
    assert (found.client_id, found.scope) == ("kubeflow", "openid email")
    assert desk.upstream == "https://api.example.com/"
    assert "no place here: cookie-secret\n" in said
    assert CANARY not in desk.text


def test_oauth2_proxys_secret_file_stays_where_it_is(desk: Desk) -> None:
    (desk.directory / "s").write_text("x")
    (desk.directory / "s").chmod(0o600)
    text = FLAGS.replace(f"--client-secret={CANARY}", "--client-secret-file=s")
    desk.right("--oauth2-proxy", "-", stdin=text)
    assert isinstance(desk.credential.client_secret, FileSecret)


def test_oauth2_proxys_further_endpoints_and_trust_map(desk: Desk) -> None:
    text = FLAGS + (
        " --login-url=https://x/a --redeem-url=https://x/t --oidc-jwks-url=https://x/j"
        " --ssl-insecure-skip-verify --upstream=file:///x --pass-access-token=true"
    )
    said = desk.right(
        "--oauth2-proxy", "-", stdin=text.replace("\n ", " ").replace("button\n", "button")
    )
    provider = desk.credential.provider
    assert provider is not None
    assert (provider.authorize_url, provider.token_url) == ("https://x/a", "https://x/t")
    assert (provider.jwks_url, provider.tls.verify) == ("https://x/j", False)
    assert "only the first upstream by http became a route" in said
    assert "no place here: cookie-secret, pass-access-token" in said


@pytest.mark.parametrize("text", ["", CANARY, f"--foo={CANARY}", f'a = "{CANARY}"', f"'{CANARY}"])
def test_rubbish_is_told_from_oauth2_proxys_settings(desk: Desk, text: str) -> None:
    said = desk.wrong("--oauth2-proxy", "-", stdin=text)
    assert "there is no setting of oauth2-proxy in it" in said


PIECES = st.lists(
    st.sampled_from(
        ["curl", " ", "\n", "'", '"', "\\", "-u", "-d", "-H", "{", "}", "[", "]", ":", "=", "$",
         "(", ")", ";", "|", "@", "https://a/token", "grant_type=password", "a: b", "- ",
         "é", "\x00", "%", "OAUTH2_PROXY_CLIENT_ID=x", "--client-id", "&", "`", "#"]
    ),
    max_size=30,
)  # fmt: skip


@given(PIECES)
def test_any_text_is_a_draft_or_a_clear_error(pieces: list[str]) -> None:
    text = "".join(pieces)
    for read in (from_curl, from_oauth2_proxy, lambda one: from_envoy(one, "x")):
        with contextlib.suppress(SidecarError):
            read(text)
