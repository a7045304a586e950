from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import (
    Config,
    CredentialsFileSecret,
    EnvSecret,
    FileSecret,
    Grant,
    PlainSecret,
    Renew,
)
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret

T = "token_url: https://idp/token"


def credential(keys: str) -> str:
    return f"credentials:\n  a: {{{keys}}}\n"


def test_what_is_not_said_has_the_contracts_defaults(loaded: Callable[[str], Config]) -> None:
    found = loaded(credential(f"{T}, client_id: me, client_secret: {{env: S}}")).credentials["a"]
    assert found.grant is Grant.CLIENT_CREDENTIALS
    assert found.client_auth is ClientAuthentication.BASIC
    assert found.use == ("access_token",)
    assert found.required is True
    assert found.renew == Renew(margin=300, default_lifetime=3600, min_interval=10, idle=None)
    assert (found.at.line, found.at.column) == (2, 3)
    assert found.provider is not None
    assert found.provider.token_url == "https://idp/token"
    assert found.provider.egress.from_environment


def test_everything_about_a_credential_is_kept(loaded: Callable[[str], Config]) -> None:
    text = """\
        credentials:
          a:
            token_url: https://idp/token
            proxy: http://egress:3128
            grant: password
            client_id: me
            client_auth: none
            username: mary
            password: {file: p}
            scope: a b
            audience: x
            resource: [https://r/1, https://r/2]
            params: {b: "2", a: "1"}
            use: [id_token, access_token]
            required: false
            renew: {margin: 1m, default_lifetime: 2h, min_interval: 3s, idle: 30m}
        """
    found = loaded(text).credentials["a"]
    assert found.client_auth is ClientAuthentication.NONE
    assert (found.username, found.scope, found.audience) == ("mary", "a b", ("x",))
    assert found.resource == ("https://r/1", "https://r/2")
    assert found.params == {"b": "2", "a": "1"}
    assert (found.use, found.required) == (("id_token", "access_token"), False)
    assert found.renew == Renew(margin=60, default_lifetime=7200, min_interval=3, idle=1800)
    assert found.provider is not None
    assert (found.provider.egress.from_environment, found.provider.egress.url) == (
        False,
        "http://egress:3128",
    )


def test_without_traffic_it_is_not_waited_for(loaded: Callable[[str], Config]) -> None:
    text = credential("grant: static, token: {env: T}, renew: {idle: 30m}")
    assert loaded(text).credentials["a"].required is False


def test_secrets_are_references_with_a_place(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    text = f"""\
        credentials:
          a: {{{T}, client_id: me, client_secret: {{env: S}}, grant: password,
              username: u, password: {{file: pass}}}}
          b: {{grant: static, token: plain}}
        """
    config = loaded(text)
    secret, password = config.credentials["a"].client_secret, config.credentials["a"].password
    assert isinstance(secret, EnvSecret)
    assert (secret.name, secret.at.line) == ("S", 2)
    assert isinstance(password, FileSecret)
    assert (password.path, password.at.line) == (directory / "pass", 3)
    token = config.credentials["b"].token
    assert isinstance(token, PlainSecret)
    assert token.value == Secret("plain")
    (warning,) = config.warnings
    assert str(warning).endswith(
        "c.yaml:4:29: `token` stands here in plain text: use {env: NAME} or {file: path}"
    )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (f"{T}, client_id: me", "2:3: grant client_credentials needs `client_secret`"),
        (f"{T}, client_secret: {{env: S}}", "2:3: `client_id` is missing"),
        ("client_id: me, client_secret: {env: S}", "2:3: there is no token_url, issuer or"),
        (f"{T}, client_id: me, client_auth: basic, grant: password, username: u, "
         "password: {env: P}", "2:3: client_auth basic needs `client_secret`"),
        (f"{T}, client_id: me, client_auth: none, client_secret: {{env: S}}",
         "`client_secret` is never sent with client_auth none"),
        (f"{T}, client_id: 'a:b', client_auth: basic_raw, client_secret: {{env: S}}",
         "`client_id` can't hold a colon with basic_raw"),
        (f"{T}, client_id: me, grant: password, username: u", "grant password needs `password`"),
        (f"{T}, client_id: me, grant: password, password: {{env: P}}", "needs `username`"),
        (f"{T}, client_id: me, grant: refresh_token", "refresh_token needs `refresh_token`"),
        ("grant: static", "2:3: grant static needs `token`"),
        ("grant: static, token: {env: T}, client_id: me", "`client_id` has no meaning for grant"),
        (f"grant: static, token: {{env: T}}, {T}", "`token_url` has no meaning for grant static"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, username: u",
         "`username` belongs to grant password or session, and this one is client_credentials"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, token: {{env: S}}",
         "`token` belongs to grant static"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, realm: r",
         "`realm` belongs to preset seldon and runai"),
        (f"{T}, client_id: me, client_secret: {{}}", "`client_secret` must have exactly one of"),
        (f"{T}, client_id: me, client_secret: {{env: [a]}}", "`env` must be text"),
        (f"{T}, client_id: me, client_secret: 12345", "`client_secret` must be text: put it in"),
        (f"{T}, client_id: me, client_secret: ''", "`client_secret` must not be empty"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, params: {{scope: a}}",
         "`params` must not hold scope: it has a key of its own"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, params: {{a: 1}}",
         "`params` has a field that must be text: put it in quotes"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, params: [a]",
         "`params` must be a mapping"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, use: []",
         "`use` must name at least one"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, renew: {{idle: sometimes}}",
         "`idle` must be a duration"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, client_auth: digest",
         "`client_auth` must be one of basic, basic_raw, post, client_secret_jwt,"),
        (f"{T}, client_id: me, client_secret: {{env: S}}, login_url: https://i/auth",
         "`login_url` stands beside another endpoint: keep one"),
        ("login_url: https://i/login, client_id: me, client_secret: {env: S}",
         "`login_url` must have a path with /auth in it"),
        ("issuer: https://i/?a, client_id: me, client_secret: {env: S}",
         "`issuer` must be a URL without ?"),
        ("issuer: http://i/, client_id: me, client_secret: {env: S}",
         "`issuer` sends secrets over plain http"),
        ("login_url: http://i/auth, client_id: me, client_secret: {env: S}",
         "`login_url` sends secrets over plain http"),
        (f"{T}, proxy: egress, client_id: me, client_secret: {{env: S}}",
         "`proxy` must be a URL that begins with"),
        (f"{T}, proxy: 'http://e/x', client_id: me, client_secret: {{env: S}}",
         "`proxy` must be http://host:port, or none"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_located_and_explained(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    (found,) = problems(credential(keys))
    assert found.startswith("2:")
    assert expected in found


def test_plain_http_to_this_machine_or_with_leave_is_right(
    loaded: Callable[[str], Config],
) -> None:
    client = "client_id: me, client_secret: {env: S}"
    assert not loaded(credential(f"token_url: 'http://localhost:9/t', {client}")).warnings
    text = credential(f"token_url: http://idp/t, allow_insecure: true, {client}")
    (warning,) = loaded(text).warnings
    assert "`allow_insecure: true` lets secrets travel unencrypted" in warning.message


def test_a_proxys_password_is_kept_and_warned_about(loaded: Callable[[str], Config]) -> None:
    text = credential(
        f"{T}, proxy: 'http://me:pw@egress:1', client_id: me, client_secret: {{env: S}}"
    )
    config = loaded(text)
    provider = config.credentials["a"].provider
    assert provider is not None
    assert provider.egress.url == "http://me:pw@egress:1"
    assert len(config.warnings) == 1
    assert "pw" not in repr(config)


def test_no_proxy_can_be_asked_for(loaded: Callable[[str], Config]) -> None:
    text = credential(f"{T}, proxy: none, client_id: me, client_secret: {{env: S}}")
    provider = loaded(text).credentials["a"].provider
    assert provider is not None
    assert (provider.egress.from_environment, provider.egress.url) == (False, None)


CSV = "client_id,client_secret,token_url\nmy-id,s3cr3t,https://dai/auth/token\n"


def test_a_credentials_file_brings_client_and_endpoint(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    (directory / "c.csv").write_text(CSV)
    found = loaded(credential("credentials_file: c.csv")).credentials["a"]
    assert found.client_id == "my-id"
    assert isinstance(found.client_secret, CredentialsFileSecret)
    assert found.client_secret.path == directory / "c.csv"
    assert found.provider is not None
    assert found.provider.token_url == "https://dai/auth/token"


def test_what_is_given_beside_a_credentials_file_stays(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    (directory / "c.csv").write_text(CSV)
    keys = "credentials_file: c.csv, client_id: other, issuer: https://other"
    found = loaded(credential(keys)).credentials["a"]
    assert found.client_id == "other"
    assert found.provider is not None
    assert (found.provider.token_url, found.provider.issuer) == (None, "https://other")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "2:25: `credentials_file` names a file that is not there"),
        (b"", "2:25: `credentials_file` has no client_id and client_secret"),
        (b"\xff", "2:25: `credentials_file` is not UTF-8 text"),
        (b"name,x\n", "2:25: `credentials_file` has no client_id and client_secret"),
        (CSV.replace("https", "http").encode(), "`credentials_file` sends secrets over plain"),
        (CSV.replace("https://", "").encode(), "has a token_url that must be a URL"),
        (CSV.replace("s3cr3t", "").encode(), "client_credentials needs `client_secret`"),
    ],
)
def test_a_useless_credentials_file_is_one_mistake(
    problems: Callable[[str], list[str]], directory: Path, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (directory / "c.csv").write_bytes(content)
    (found,) = problems(credential("credentials_file: c.csv"))
    assert expected in found
    assert "s3cr3t" not in found


def test_who_may_fetch_a_token_is_one_of_the_clients(
    loaded: Callable[[str], Config], problems: Callable[[str], list[str]]
) -> None:
    text = """
        clients: {notebook: {key: {env: KEY}}}
        credentials:
          a: {token_url: https://i/t, client_id: a, client_secret: {env: A}, clients: [NAME]}
    """
    assert loaded(text.replace("NAME", "notebook")).credentials["a"].clients == {"notebook"}
    (found,) = problems(text.replace("NAME", "notebok"))
    assert "`clients` names `notebok`" in found
    assert "did you mean `notebook`?" in found
