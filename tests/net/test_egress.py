from __future__ import annotations

import pytest

from proxy.config.model import Egress
from proxy.net.egress import proxy_for

URL = "https://id.example/token"
ENVIRONMENT = Egress()


def test_without_any_setting_the_way_is_direct() -> None:
    assert proxy_for(URL, ENVIRONMENT, {}) is None


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (URL, {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        (URL, {"https_proxy": "http://p:3128"}, "http://p:3128"),
        (URL, {"https_proxy": "http://low", "HTTPS_PROXY": "http://UP"}, "http://low"),
        (URL, {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://id.example/t", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("http://id.example/t", {"HTTPS_PROXY": "http://p:3128"}, None),
        (URL, {"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        (URL, {"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    assert proxy_for(url, ENVIRONMENT, environ) == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("id.example", "*", True),
        ("id.example", "id.example", True),
        ("ID.Example", "id.example", True),
        ("id.example", "ID.EXAMPLE", True),
        ("a.id.example", "id.example", True),
        ("a.id.example", ".id.example", True),
        ("id.example", ".id.example", True),
        ("a.id.example", "*.id.example", True),
        ("bid.example", "id.example", False),
        ("id.example", "other, id.example ,x", True),
        ("id.example", "", False),
        ("id.example", ",", False),
        ("id.example", ".", False),
        ("id.example", "id.example:443", True),
        ("id.example", "id.example:8443", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]:443", True),
        ("[fd00::1]", "[fd00::1]:444", False),
        ("id.example", "10.0.0.0/8", False),
    ],
)
def test_no_proxy_exempts_hosts_domains_ports_and_ranges(
    host: str, no_proxy: str, direct: bool
) -> None:
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy}
    assert (proxy_for(f"https://{host}/t", ENVIRONMENT, environ) is None) is direct


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "id.localhost"])
@pytest.mark.parametrize("egress", [ENVIRONMENT, Egress(from_environment=False, url="http://p:1")])
def test_loopback_is_never_reached_through_a_proxy(host: str, egress: Egress) -> None:
    assert proxy_for(f"https://{host}/t", egress, {"HTTPS_PROXY": "http://p:1"}) is None


def test_a_configured_proxy_wins_over_the_environment() -> None:
    environ = {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "*"}
    configured = Egress(from_environment=False, url="http://mine:2")
    assert proxy_for(URL, configured, environ) == "http://mine:2"
    assert proxy_for(URL, Egress(from_environment=False), environ) is None
