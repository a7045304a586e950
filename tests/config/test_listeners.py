from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config


def with_route(upstream: str, more: str = "") -> str:
    return f"{more}\nroutes: [{{upstream: '{upstream}', credential: none}}]\n"


@pytest.mark.parametrize(
    ("listen", "shown"),
    [
        ("127.0.0.1:1", ["127.0.0.1:1"]),
        ("unix:/run/a", ["unix:/run/a"]),
        ("[127.0.0.1:1, '[::1]:1', unix:/a]", ["127.0.0.1:1", "[::1]:1", "unix:/a"]),
        ("{address: localhost:1}", ["localhost:1"]),
        ("[{address: 127.0.0.1:1}, 127.0.0.1:2]", ["127.0.0.1:1", "127.0.0.1:2"]),
        ("[127.0.0.1:0, 127.0.0.1:0]", ["127.0.0.1:0", "127.0.0.1:0"]),
    ],
)
def test_listen_takes_one_address_or_a_list(
    loaded: Callable[[str], Config], listen: str, shown: list[str]
) -> None:
    assert [str(one) for one in loaded(f"listen: {listen}\n").listen] == shown


@pytest.mark.parametrize(
    ("listen", "places"),
    [
        ("{address: 127.0.0.1:1, tls: {cert_file: c.pem, key_file: k.pem}}", ["127.0.0.1:1"]),
        (
            "[127.0.0.1:2, {address: unix:/a, tls: {cert_file: c.pem, key_file: k.pem}}]",
            ["unix:/a"],
        ),
    ],
)
def test_a_listener_may_have_a_certificate(
    loaded: Callable[[str], Config], directory: Path, listen: str, places: list[str]
) -> None:
    for name in ("c.pem", "k.pem"):
        (directory / name).touch()
    found = loaded(f"listen: {listen}\n").certificates
    assert [str(place) for place in found] == places
    (certificate,) = found.values()
    assert certificate.cert_file == directory / "c.pem"
    assert certificate.key_file == directory / "k.pem"
    assert certificate.at.line == 1


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("{address: 127.0.0.1:1, tls: {key_file: k}}", "1:32: `tls` needs a `cert_file`"),
        ("[{address: 127.0.0.1:1, tls: {}}]", "1:33: `tls` needs a `cert_file`"),
        ("{address: 127.0.0.1:1, tls: {cert_file: nowhere.pem}}", "1:49: `cert_file` names a file"),
        ("[{address: 127.0.0.1:1, tls: {cert_file: .}}]", "1:50: `cert_file` names a directory"),
        ("{address: 127.0.0.1:1, tls: {certfile: a}}", "did you mean `cert_file`?"),
        ("{address: 127.0.0.1:1, tls: {cert_file: a, verify: true}}", "unknown key `verify`"),
        ("{address: 127.0.0.1:1, tls: yes}", "`tls` must be a mapping of keys"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_where_it_stands(
    problems: Callable[[str], list[str]], listen: str, expected: str
) -> None:
    assert any(expected in one for one in problems(f"listen: {listen}\n"))


@pytest.mark.parametrize("address", ["0.0.0.0:1", "'[::]:1'", "10.0.0.1:1", "host.example:1"])
def test_listening_for_other_machines_needs_leave(
    problems: Callable[[str], list[str]], address: str
) -> None:
    assert "allow_remote: true" in problems(f"listen: {address}")[0]
    assert problems(f"listen: {address}\nallow_remote: true\n") == []


def test_a_route_of_its_own_listener_needs_leave_too(problems: Callable[[str], list[str]]) -> None:
    text = "routes: [{listen: '0.0.0.0:1', upstream: https://u, credential: none}]\n"
    assert problems(text) == [
        "1:19: `listen` is reached from other machines: use loopback, or say `allow_remote: true`"
    ]


def test_admin_is_never_remote(problems: Callable[[str], list[str]]) -> None:
    (found,) = problems("admin: 0.0.0.0:1\nallow_remote: true\n")
    assert found.startswith("1:8: `admin` can't be reached from other machines")


def test_metrics_may_be_remote_without_leave(problems: Callable[[str], list[str]]) -> None:
    assert problems("metrics: 0.0.0.0:9090") == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("listen: [127.0.0.1:1, 127.0.0.1:1]", "1:23: `listen`"),
        ("listen: [localhost:1, 127.0.0.1:1]", "1:23: `listen`"),
        ("listen: [0.0.0.0:1, 127.0.0.1:1]\nallow_remote: true", "1:21: `listen`"),
        ("listen: [unix:a, unix:./a]", "1:18: `listen`"),
        ("listen: 127.0.0.1:8081", "1:9: `listen`"),
        ("listen: 127.0.0.1:1\nadmin: 127.0.0.1:1", "2:8: `admin`"),
        ("metrics: 127.0.0.1:8080", "1:10: `metrics`"),
        ("admin: 127.0.0.1:9\nmetrics: 127.0.0.1:9", "2:10: `metrics`"),
        (
            "routes: [{listen: 127.0.0.1:8080, upstream: https://u, credential: none}]",
            "1:19: `listen`",
        ),
    ],
)
def test_two_listeners_with_the_same_address_are_a_mistake(
    problems: Callable[[str], list[str]], text: str, place: str
) -> None:
    (found,) = problems(text + "\n")
    assert found.startswith(f"{place} is the same address as")


def test_routes_may_share_a_listener_of_their_own(problems: Callable[[str], list[str]]) -> None:
    text = """\
        routes:
          - {path: /a, listen: 127.0.0.1:9, upstream: https://u, credential: none}
          - {path: /b, listen: 127.0.0.1:9, upstream: https://u, credential: none}
        """
    assert problems(text) == []


def test_both_families_of_one_port_are_two_listeners(problems: Callable[[str], list[str]]) -> None:
    assert problems("listen: [127.0.0.1:1, '[::1]:1']") == []
    assert problems("listen: [0.0.0.0:1, '[::]:1']\nallow_remote: true") == []


@pytest.mark.parametrize(
    ("upstream", "more"),
    [
        ("http://127.0.0.1:8080/x", ""),
        ("http://localhost:8080", ""),
        ("http://a.localhost:8080", ""),
        ("https://[::1]:8080", ""),
        ("http://0.0.0.0:8080", ""),
        ("http://127.0.0.1:8081", ""),
        ("http://localhost:9090", "metrics: 0.0.0.0:9090"),
        ("http://localhost", "listen: 127.0.0.1:80"),
        ("http://10.0.0.1:8", "listen: 10.0.0.1:8\nallow_remote: true"),
        ("http://127.0.0.2:8", "listen: 0.0.0.0:8\nallow_remote: true"),
    ],
)
def test_an_upstream_that_is_our_own_listener_is_a_mistake(
    problems: Callable[[str], list[str]], upstream: str, more: str
) -> None:
    (found,) = problems(with_route(upstream, more))
    assert "`upstream` is our own listener" in found


def test_a_listener_of_another_route_is_ours_too(problems: Callable[[str], list[str]]) -> None:
    text = """\
        routes:
          - {path: /a, listen: 127.0.0.1:9, upstream: https://u, credential: none}
          - {path: /b, upstream: "http://localhost:9", credential: none}
        """
    assert "3:26: `upstream` is our own listener 127.0.0.1:9" in problems(text)[0]


@pytest.mark.parametrize(
    ("upstream", "more"),
    [
        ("http://127.0.0.1:8082", ""),
        ("http://127.0.0.1:8081", "admin: off"),
        ("http://127.0.0.2:8080", ""),
        ("http://10.0.0.1:8080", ""),
        ("http://127.0.0.1:8080", "listen: unix:/a"),
    ],
)
def test_other_upstreams_on_this_machine_are_not(
    problems: Callable[[str], list[str]], upstream: str, more: str
) -> None:
    assert problems(with_route(upstream, more)) == []


def test_a_wrong_listener_does_not_make_its_default_ours(
    problems: Callable[[str], list[str]],
) -> None:
    assert len(problems(with_route("http://127.0.0.1:8080", "listen: nonsense"))) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listen: 8080", "1:9: `listen` must be host:port"),
        ("listen: [127.0.0.1:1, here]", "1:23: an entry of `listen` must be host:port"),
        ("listen: {}", "1:9: `listen` needs an `address`"),
        ("listen: []", "1:9: `listen` must name at least one"),
        ("admin: true", "1:8: `admin` must be an address"),
        ("listen: {addres: '127.0.0.1:1'}", "1:10: unknown key `addres`; did you mean `address`?"),
    ],
)
def test_wrong_addresses_are_located(
    problems: Callable[[str], list[str]], text: str, expected: str
) -> None:
    (found,) = problems(text)
    assert found.startswith(expected)
