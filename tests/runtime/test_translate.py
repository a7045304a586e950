from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from proxy.config import model
from proxy.config.load import load
from proxy.plane.settings import Address, Limits, Proxy
from proxy.runtime.tls import TlsContexts
from proxy.runtime.translate import plane_settings
from proxy.secret import Secret

FILE = """\
listen: [127.0.0.1:8080, unix:own.sock]
hosts: [sidecar.example.com]
browser_origins: [https://app.example.com]
peer_uids: [1001]
hold: 3s
limits: {target: 1KiB, head: 2KiB, fields: 3, head_time: 4s, body_idle: 5s, connections: 6,
         in_flight: 7, replay_budget: 8KiB}
clients:
  notebook: {key: {env: KEY}}
credentials:
  api: {token_url: "https://provider.example.com/token", client_id: x, client_secret: {env: S}}
routes:
  - path: /a/
    host: infer.localhost
    listen: 127.0.0.1:9001
    upstream: https://api.example.com:8443/v1/
    credential: api
    header: X-Auth
    scheme: ''
    clients: [notebook]
    cookies: true
    rewrite_location: true
    proxy: http://egress.example.com:3128
    timeouts: {connect: 1s, head: 2s, idle: 3s}
    max_body: 4KiB
    replay_body: 1KiB
  - {path: /b/, upstream: "https://api.example.com/", credential: none}
  - {path: /c/, upstream: "https://api.example.com/x/", credential: api}
  - {path: /d/, upstream: "http://127.0.0.1:9/", credential: none}
"""


def config(tmp_path: Path) -> model.Config:
    (tmp_path / "c.yaml").write_text(FILE)
    return load(tmp_path / "c.yaml", {"HOME": str(tmp_path)})


def test_every_setting_reaches_the_plane(tmp_path: Path) -> None:
    keys = {"notebook": Secret("k")}
    settings = plane_settings(config(tmp_path), TlsContexts(), keys, {})
    assert settings.listeners == (
        Address("127.0.0.1", 8080),
        Address(path=str(tmp_path / "own.sock")),
    )
    assert settings.hosts == {"sidecar.example.com"}
    assert settings.origins == {"https://app.example.com"}
    assert settings.peer_uids == {1001}
    assert settings.hold == 3.0
    assert settings.clients == keys
    assert settings.limits == Limits(1024, 2048, 3, 4.0, 5.0, 6, 7, 8192)


def test_every_key_of_a_route_reaches_the_plane(tmp_path: Path) -> None:
    route = plane_settings(config(tmp_path), TlsContexts(), {}, {}).routes[0]
    assert (route.path, route.host, route.listener) == (
        "/a/",
        "infer.localhost",
        Address("127.0.0.1", 9001),
    )
    upstream = route.upstream
    assert (upstream.host, upstream.port, upstream.authority, upstream.connect_timeout) == (
        "api.example.com",
        8443,
        "api.example.com:8443",
        1.0,
    )
    assert upstream.proxy == Proxy("egress.example.com", 3128)
    assert route.upstream_path == "/v1/"
    assert (route.credential, route.header, route.scheme) == ("api", "X-Auth", "")
    assert route.clients == {"notebook"}
    assert route.cookies
    assert route.rewrite_location
    assert (route.head_timeout, route.idle_timeout) == (2.0, 3.0)
    assert (route.max_body, route.replay_body) == (4096, 1024)


def test_upstreams_with_the_same_tls_share_a_context_and_so_a_pool(tmp_path: Path) -> None:
    routes = plane_settings(config(tmp_path), TlsContexts(), {}, {}).routes
    assert routes[1].upstream == routes[2].upstream
    assert routes[1].upstream.tls is not None
    assert routes[3].upstream.tls is None
    assert routes[1].credential is None


def test_the_same_configuration_read_again_gives_equal_upstreams(tmp_path: Path) -> None:
    contexts = TlsContexts()
    first = plane_settings(config(tmp_path), contexts, {}, {})
    assert plane_settings(config(tmp_path), contexts, {}, {}).routes == first.routes


def test_routes_whose_credential_is_a_session_say_so(tmp_path: Path) -> None:
    read = config(tmp_path)
    sessions = {
        name: replace(one, grant=model.Grant.SESSION) for name, one in read.credentials.items()
    }
    routes = plane_settings(replace(read, credentials=sessions), TlsContexts(), {}, {}).routes
    assert [route.session for route in routes] == [True, False, True, False]
    usual = plane_settings(read, TlsContexts(), {}, {}).routes
    assert not any(route.session for route in usual)
