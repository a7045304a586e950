"""What a program's own sidecar serves, and how the program finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import Address, Config, PlainSecret
from proxy.errors import ConfigurationError, UnlendableError
from proxy.runtime.private import found_at, private
from proxy.secret import Secret

KEY = Secret("canary-key")
CONFIG = """\
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
metrics: 127.0.0.1:8082
workers: 4
clients:
  notebook: {key: {env: NOTEBOOK}}
credentials:
  one:
    token_url: https://id.example/token
    client_id: api
    client_secret: {env: SECRET}
    clients: [notebook]
  two:
    token_url: https://id.example/token
    client_id: other
    client_secret: {env: SECRET}
  exchanged:
    token_url: https://id.example/token
    client_id: api
    client_secret: {env: SECRET}
    grant: token_exchange
    subject: {credential: two}
  spent:
    token_url: https://id.example/token
    client_id: api
    client_secret: {env: SECRET}
    grant: refresh_token
    refresh_token: {env: FIRST}
routes:
  - {path: /one/, upstream: "https://one.example/", credential: one, clients: [notebook]}
  - {path: /more/, upstream: "https://one.example/more/", credential: one}
  - {path: /, listen: "127.0.0.1:9001", upstream: "https://two.example/", credential: two}
  - {path: /, listen: "127.0.0.1:9002", upstream: "https://x.example/", credential: exchanged}
  - {path: /x/, host: x.localhost, upstream: "https://x.example/", credential: exchanged}
  - {path: /spent/, upstream: "https://s.example/", credential: spent}
  - {path: /open/, upstream: "https://o.example/", credential: none}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return load(path, {"HOME": str(tmp_path)})


def test_only_the_routes_of_these_credentials_are_served(config: Config) -> None:
    made = private(config, ["one"], 5000, KEY)
    assert [route.path for route in made.routes] == ["/one/", "/more/"]
    assert list(made.credentials) == ["one"]


def test_it_listens_in_one_place_and_lets_in_one_client(config: Config) -> None:
    made = private(config, ["one", "two"], 5000, KEY)
    assert made.listen == (Address("127.0.0.1", 5000),)
    assert (made.admin, made.metrics, made.workers) == (None, None, 1)
    assert {route.listen for route in made.routes} == {None}
    assert {route.clients for route in made.routes} == {None}
    (key,) = made.clients.values()
    assert isinstance(key, PlainSecret)
    assert key.value == KEY
    assert KEY.reveal() not in repr(made)


def test_what_a_credential_is_obtained_with_comes_along(config: Config) -> None:
    made = private(config, ["exchanged"], 5000, KEY)
    assert set(made.credentials) == {"exchanged", "two"}
    assert {route.credential for route in made.routes} == {"exchanged"}


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        (["oen"], UnlendableError, "did you mean one"),
        (["two", "exchanged"], UnlendableError, "both have a route at /"),
        (["spent"], ConfigurationError, "kept nowhere"),
    ],
)
def test_what_can_not_be_is_told(
    config: Config, names: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        private(config, names, 5000, KEY)


def test_a_credential_without_a_route_is_told(tmp_path: Path, config: Config) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("credential: one", "credential: two"))
    with pytest.raises(UnlendableError, match="no route has the credential one"):
        private(load(config.path, {"HOME": str(tmp_path)}), ["one"], 5000, KEY)


def test_the_program_finds_it_whole_and_in_parts(config: Config) -> None:
    made = private(config, ["one", "exchanged"], 5000, KEY)
    assert found_at(made, 5000, KEY) == {
        "TOKEN_SIDECAR_URL": "http://token-sidecar:canary-key@127.0.0.1:5000",
        "TOKEN_SIDECAR_ORIGIN": "http://127.0.0.1:5000",
        "TOKEN_SIDECAR_KEY": "canary-key",
        "TOKEN_SIDECAR_URL_ONE": "http://token-sidecar:canary-key@127.0.0.1:5000/one/",
        "TOKEN_SIDECAR_URL_EXCHANGED": "http://token-sidecar:canary-key@127.0.0.1:5000/",
    }
