from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config import model
from proxy.config.load import load
from proxy.errors import ConfigurationError
from proxy.plane.settings import Proxy
from proxy.runtime.egress import EgressError, proxy_of
from proxy.runtime.preflight import assure
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret


def config(directory: Path, upstream: str, proxy: str | None = None) -> model.Config:
    written = f", proxy: '{proxy}'" if proxy else ""
    file = directory / "c.yaml"
    file.write_text(f"routes:\n  - {{upstream: '{upstream}', credential: none{written}}}\n")
    return load(file, {"HOME": str(directory)})


WAYS = [
    ("https://u.example/", None, {}, None),
    ("https://u.example/", "http://p:3128", {}, Proxy("p", 3128)),
    ("https://u.example/", "http://p", {}, Proxy("p", 80)),
    ("https://u.example/", "http://[fd00::2]:1", {}, Proxy("fd00::2", 1)),
    ("https://u.example/", None, {"HTTPS_PROXY": "http://e:1"}, Proxy("e", 1)),
    ("https://u.example/", None, {"https_proxy": "e:1"}, Proxy("e", 1)),
    ("https://u.example/", None, {"HTTP_PROXY": "http://e:1"}, None),
    ("http://u.example/", None, {"HTTP_PROXY": "http://e:1"}, Proxy("e", 1)),
    ("https://u.example/", "none", {"HTTPS_PROXY": "http://e:1"}, None),
    ("https://u.example/", None, {"HTTPS_PROXY": "http://e:1", "NO_PROXY": ".example"}, None),
    (
        "https://u.example:8443/",
        None,
        {"HTTPS_PROXY": "http://e:1", "NO_PROXY": "u.example:443"},
        Proxy("e", 1),
    ),
    ("https://[fd00::1]/", None, {"HTTPS_PROXY": "http://e:1", "NO_PROXY": "fd00::/8"}, None),
    ("https://localhost/", "http://p:3128", {"HTTPS_PROXY": "http://e:1"}, None),
    ("http://127.0.0.1:9/", "http://p:3128", {"HTTP_PROXY": "http://e:1"}, None),
]


@pytest.mark.parametrize(("upstream", "written", "environ", "proxy"), WAYS)
def test_the_way_out_is_the_routes_or_the_environments(
    tmp_path: Path, upstream: str, written: str | None, environ: dict[str, str], proxy: Proxy | None
) -> None:
    (route,) = config(tmp_path, upstream, written).routes
    assert proxy_of(route, environ) == proxy


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [
        ("joe:pw1", "Basic am9lOnB3MQ=="),
        ("joe", "Basic am9lOg=="),
        ("j%40e:p%3Aw%2F1", "Basic akBlOnA6dy8x"),
        ("joe:p@w", "Basic am9lOnBAdw=="),
    ],
)
def test_user_and_password_are_shown_to_the_proxy_as_basic(
    tmp_path: Path, userinfo: str, expected: str
) -> None:
    (route,) = config(tmp_path, "https://u.example/").routes
    found = proxy_of(route, {"HTTPS_PROXY": f"http://{userinfo}@p:3128"})
    assert found == Proxy("p", 3128, Secret(expected))
    assert "joe" not in repr(found)


@pytest.mark.parametrize(
    "named", ["https://joe:pw1@p:1", "socks5://joe:pw1@p:1", "http://joe:pw1@", "http://p:pw1"]
)
def test_a_proxy_of_the_environment_that_is_none_is_told_at_the_route(
    tmp_path: Path, named: str
) -> None:
    found = config(tmp_path, "https://u.example/")
    with pytest.raises(EgressError, match="HTTPS_PROXY"):
        proxy_of(found.routes[0], {"HTTPS_PROXY": named})
    with pytest.raises(ConfigurationError) as caught:
        assure(found, {"HTTPS_PROXY": named}, TlsContexts())
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 5)
    assert "pw1" not in problem.message
