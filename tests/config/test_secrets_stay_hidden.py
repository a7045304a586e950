"""No message about a file repeats a secret, wherever in it something is wrong."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.config.document import compose
from proxy.config.load import load
from proxy.config.model import Config
from proxy.config.report import Report
from proxy.errors import ConfigurationError

CANARY = "Kanarien-v0gel"
FILE = """\
listen: 127.0.0.1:8080
clients: {a: {key: <>}}
hold: 3s
providers:
  p: {token_url: https://idp/token, proxy: "http://me:<>@e:1"}
credentials:
  a: {provider: p, client_id: me, client_secret: <>, grant: password,
      username: mary, password: <>, params: {secret: <>}}
  b: {provider: p, client_id: me, grant: refresh_token, refresh_token: <>}
  c: {grant: static, token: <>}
  d: {provider: p, client_id: me, grant: token_exchange, subject: <>, actor: <>}
  e: {provider: p, client_id: me, grant: jwt_bearer, assertion: <>}
  f: {provider: p, client_id: me, client_auth: private_key_jwt, private_key: <>}
  g: {grant: session, url: https://app/, username: me, password: <>}
store: {file: /nowhere, encryption_key: <>}
routes:
  - {upstream: https://u, credential: a, clients: [a]}
"""


def told(content: bytes) -> str:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "c.yaml"
        file.write_bytes(content)
        try:
            config = load(file, {"HOME": "/home/mary"})
        except ConfigurationError as error:
            return f"{error} {error!r} {error.__cause__} {error.__context__ and ''}"
        return f"{config!r} {config.warnings}"


def test_a_right_file_shows_none_of_its_secrets() -> None:
    shown = told(FILE.replace("<>", CANARY).encode())
    assert "Config(" in shown
    assert CANARY not in shown


def test_each_of_them_is_warned_about(loaded: Callable[[str], Config]) -> None:
    assert len(loaded(FILE.replace("<>", CANARY)).warnings) == 12


@pytest.mark.parametrize(
    "value",
    [
        f"{{{CANARY}}}",
        f"{{{CANARY}: 1}}",
        f"{{{CANARY}: 1, {CANARY}: 2}}",
        f"{{env: [{CANARY}]}}",
        f"{{env: {CANARY}, file: {CANARY}}}",
        f"{{plain: {CANARY}}}",
        f"{{env: {{a: {CANARY}}}}}",
        f"[{CANARY}]",
        f"!{CANARY}",
        f"!a!{CANARY}",
        f"!{CANARY.replace('-', '')}!a",
        f"!!{CANARY} a",
        f"!<{CANARY}> a",
        f"*{CANARY}",
        f"&{CANARY}",
        f"%{CANARY}",
        f"@{CANARY}",
        f"`{CANARY}",
        f"'{CANARY}",
        f'"{CANARY}\\q"',
        f'"{CANARY}\\n"',
        f"{CANARY}: x",
        f"{CANARY}: {CANARY}",
        f"{CANARY}}}",
        f"|{CANARY}",
        f"? {CANARY}",
    ],
)
def test_no_way_to_write_a_secret_wrongly_shows_it(value: str) -> None:
    assert CANARY not in told(FILE.replace("<>", value, 1).replace("<>", "x").encode())
    text = FILE.replace("client_secret: <>", f"client_secret: {value}").replace("<>", "x")
    assert CANARY not in told(text.encode())
    assert CANARY.replace("-", "") not in _python_parsers_word(text).replace("-", "")


def test_a_clients_key_in_the_place_of_a_name_is_not_repeated() -> None:
    found = told(FILE.replace("{key: <>}", f"{{{CANARY}: x}}").encode())
    assert "unknown key; did you mean" in found or "unknown key; known: key" in found
    assert CANARY not in found


def _python_parsers_word(text: str) -> str:
    report = Report("f")
    try:
        compose(text, report, yaml.SafeLoader)
    except ConfigurationError:
        return str(report.fail())
    return str(report.fail())


@given(
    st.integers(0, len(FILE)),
    st.integers(0, 12),
    st.text("{}[]:,-#&*!|>'\"%@` \n\tabé", max_size=6),
)
@example(start=110, length=12, put="")
def test_a_damaged_file_shows_no_secret(start: int, length: int, put: str) -> None:
    whole = FILE.replace("<>", CANARY)
    damaged = whole[:start] + put + whole[start + length :]
    assert CANARY not in told(damaged.encode())


KEYS = ["listen", "clients", "hold", "providers", "credentials", "routes", "path", "upstream"]
KEYS += ["grant", "token", "client_secret", "tls", "use", "a", "env", "log", "limits", "preset"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from(["static", "none", "https://u/", "127.0.0.1:8080", "seldon", "3s", "a"]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(KEYS), TREES))
def test_any_yaml_is_loaded_or_refused(tree: dict[str, object]) -> None:
    assert told(yaml.safe_dump(tree, allow_unicode=True).encode())


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_refused(content: bytes) -> None:
    assert "ConfigurationError" in told(content)


@given(st.text("{}[]:,-#&*!|>'\"%@` \n\ta<?~"))
def test_any_punctuation_is_refused(text: str) -> None:
    assert "ConfigurationError" in told(text.encode())
