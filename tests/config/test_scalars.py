import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config import addresses, scalars


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (1.5, 1.5),
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86400),
        ("500ms", 0.5),
        ("0s", 0),
        ("0.5s", 0.5),
    ],
)
def test_a_duration_is_read_in_seconds(written: object, seconds: float) -> None:
    assert scalars.duration(written) == seconds


@pytest.mark.parametrize("written", ["", "s", "1 s", "1w", "-1s", "1e3", "٣s", "1h30m", True, None])
def test_other_durations_are_refused(written: object) -> None:
    with pytest.raises(scalars.UnfitError):
        scalars.duration(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [(10, 10), ("10", 10), ("10B", 10), ("64KiB", 65536), ("1MiB", 1 << 20), ("10GiB", 10 << 30)],
)
def test_a_size_is_read_in_bytes(written: object, size: int) -> None:
    assert scalars.size(written) == size


@pytest.mark.parametrize("written", ["1KB", "1kib", "1.5MiB", -1, 1.5, "", True, "999999TiB"])
def test_other_sizes_are_refused(written: object) -> None:
    with pytest.raises(scalars.UnfitError):
        scalars.size(written)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:80", "[::1]:80"),
        ("[0:0::1]:80", "[::1]:80"),
        ("LocalHost:0", "localhost:0"),
        ("unix:/run/a.sock", "unix:/run/a.sock"),
    ],
)
def test_an_address_is_a_host_and_port_or_a_socket(written: str, shown: str) -> None:
    assert str(addresses.address(written)) == shown


@pytest.mark.parametrize(
    "written",
    [
        "8080",
        8080,
        ":8080",
        "localhost",
        "::1:80",
        "1.2.3:80",
        "a:65536",
        "a:-1",
        "a b:1",
        "unix:",
        "unix:/" + "x" * 200,
        "a:8080/",
        "http://a:1",
        True,
        [],
        "[a]:1:1",
    ],
)
def test_other_addresses_are_refused(written: object) -> None:
    with pytest.raises(scalars.UnfitError):
        addresses.address(written)


def test_a_url_is_taken_apart() -> None:
    found = addresses.url("https://API.Example.com:8443/v1/?q=1")
    assert (found.secure, found.host, found.port) == (True, "api.example.com", 8443)
    assert (found.authority, found.path, found.query) == ("api.example.com:8443", "/v1/", "q=1")


@pytest.mark.parametrize(
    ("written", "authority", "port"),
    [
        ("https://a", "a", 443),
        ("https://a:443", "a", 443),
        ("http://a:80/", "a", 80),
        ("http://a:443/", "a:443", 443),
        ("http://[::1]:80/", "[::1]", 80),
        ("https://[::1]:1", "[::1]:1", 1),
    ],
)
def test_a_port_that_is_the_schemes_own_is_not_part_of_the_authority(
    written: str, authority: str, port: int
) -> None:
    found = addresses.url(written)
    assert (found.authority, found.port) == (authority, port)


@pytest.mark.parametrize(
    "written",
    [
        "a",
        "ftp://a",
        "https://",
        "https:///x",
        "https://a:b",
        "https://a:0",
        "https://a:99999",
        "https://u:p@a",
        "https://a#f",
        "https://a/#",
        "https://ä",
        "https://a b",
        "https://[::1",
        "https://a\\b",
        "https://a\nb",
        "https://a..b",
        "HTTPS:/a",
        3,
        None,
        "",
    ],
)
def test_other_urls_are_refused(written: object) -> None:
    with pytest.raises(scalars.UnfitError):
        addresses.url(written)


@pytest.mark.parametrize(
    ("written", "path"),
    [("/", "/"), ("/a", "/a/"), ("/a/", "/a/"), ("/a%2Fb;c=1", "/a%2Fb;c=1/"), ("/...", "/.../")],
)
def test_a_path_ends_with_a_slash(written: str, path: str) -> None:
    assert addresses.prefix(written) == path


@pytest.mark.parametrize(
    "written",
    [
        "a",
        "",
        "/a/../b",
        "/./",
        "/%2e%2E/",
        "/a//b",
        "//",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/a%5Cb",
        "/%00",
        "/%0a",
        "/%7f",
        "/%",
        "/%zz",
        "/ä",
        "/a b",
        3,
    ],
)
def test_other_paths_are_refused(written: object) -> None:
    with pytest.raises(scalars.UnfitError):
        addresses.path(written)


@pytest.mark.parametrize(
    "name", ["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]
)
def test_loopback_is_known_by_all_its_names(name: str) -> None:
    assert addresses.is_loopback(name)


@pytest.mark.parametrize("name", ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "a"])
def test_other_hosts_are_not_loopback(name: str) -> None:
    assert not addresses.is_loopback(name)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_any_value_is_read_or_refused_by_every_kind(value: object) -> None:
    readers = [scalars.text, scalars.texts, scalars.switch, scalars.count, scalars.duration]
    readers += [scalars.size, scalars.token, addresses.host, addresses.address, addresses.url]
    readers += [addresses.authority, addresses.host_name, addresses.path, addresses.origin]
    for read in readers:
        with contextlib.suppress(scalars.UnfitError):
            read(value)  # type: ignore[operator]  # a list of functions of many types
