"""Who may call: Host, Origin, Fetch metadata and client keys, held against exact lists."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.fields import Field
from proxy.http1.head import parse_request
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.plane.settings import Address
from proxy.secret import Secret

HERE = Address("127.0.0.1", 8080)
KEYS = {"one": Secret("k1"), "other": Secret("k2")}


def fields(*lines: bytes) -> tuple[Field, ...]:
    raw = b"GET / HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    return parse_request(raw, most_target=99, most_fields=99).fields


def host(
    guard: Guard, *values: bytes, minor: int = 1, authority: bytes | None = None
) -> str | None:
    return guard.host(fields(*(b"Host: " + value for value in values)), minor, authority)


def status(judge: Callable[[], object]) -> int:
    """The status of a refusal, 200 where there is none."""
    try:
        judge()
    except MessageError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"localhost", "localhost"),
        (b"LOCALHOST:8080", "localhost"),
        (b"127.0.0.1", "127.0.0.1"),
        (b"127.0.0.1:8080", "127.0.0.1"),
        (b"[::1]:8080", "[::1]"),
        (b"infer.localhost", "infer.localhost"),
        (b"a.b.localhost:8080", "a.b.localhost"),
        (b"api.example", "api.example"),
        (b"API.example:8080", "api.example"),
        (b"special.example:9", "special.example"),
    ],
)
def test_a_host_on_the_list_passes_with_the_listeners_port_or_none(
    value: bytes, expected: str
) -> None:
    guard = Guard(HERE, hosts=["api.example", "special.example:9"])
    assert host(guard, value) == expected


FOREIGN = [
    b"evil.example", b"localhost:80", b"localhost:8081", b"localhost.evil.example",
    b"evillocalhost",
    b"127.0.0.1.evil.example", b"127.0.0.2", b"0.0.0.0", b"[::2]", b"localhost.",
    b"api.example:1",
    b"special.example", b"sub.api.example", b"127.1", b"2130706433", b"[::ffff:127.0.0.1]",
]  # fmt: skip


@pytest.mark.parametrize("value", FOREIGN)
def test_any_other_host_is_421(value: bytes) -> None:
    guard = Guard(HERE, hosts=["api.example", "special.example:9"])
    assert status(lambda: host(guard, value)) == 421


@pytest.mark.parametrize("value", [b"", b"u@localhost", b"localhost/", b"a b", b"l\xffh", b":80"])
def test_a_host_that_is_none_is_400(value: bytes) -> None:
    assert status(lambda: host(Guard(HERE), value)) == 400


def test_http_1_1_needs_exactly_one_host() -> None:
    assert status(lambda: host(Guard(HERE))) == 400
    assert status(lambda: host(Guard(HERE), b"localhost", b"localhost")) == 400


def test_http_1_0_may_do_without_a_host_but_not_with_a_foreign_or_second_one() -> None:
    assert host(Guard(HERE), minor=0) is None
    assert status(lambda: host(Guard(HERE), b"evil.example", minor=0)) == 421
    assert status(lambda: host(Guard(HERE), b"localhost", b"localhost", minor=0)) == 400


def test_an_absolute_forms_authority_counts_before_host_and_is_judged_alike() -> None:
    guard = Guard(HERE, hosts=["api.example"])
    assert host(guard, b"localhost", authority=b"api.example:8080") == "api.example"
    assert host(guard, minor=0, authority=b"localhost") == "localhost"
    assert status(lambda: host(guard, b"localhost", authority=b"evil.example")) == 421
    assert status(lambda: host(guard, b"localhost", authority=b"u@localhost")) == 400
    assert status(lambda: host(guard, b"localhost", authority=b"")) == 400
    assert status(lambda: host(guard, b"local/host", authority=b"localhost")) == 400
    assert status(lambda: host(guard, authority=b"localhost")) == 400


def test_on_a_unix_socket_any_port_is_the_listeners() -> None:
    guard = Guard(Address(path="/run/s"))
    assert host(guard, b"localhost:1") == "localhost"
    assert status(lambda: host(guard, b"evil.example")) == 421


def test_the_listeners_own_address_is_a_host_but_a_wildcard_is_not() -> None:
    assert host(Guard(Address("10.0.0.5", 80)), b"10.0.0.5:80") == "10.0.0.5"
    assert host(Guard(Address("fd00::1", 80)), b"[fd00::1]") == "[fd00::1]"
    for wildcard, value in (("0.0.0.0", b"0.0.0.0"), ("::", b"[::]")):
        assert status(lambda: host(Guard(Address(wildcard, 80)), value)) == 421  # noqa: B023 - called at once


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], 200),
        ([b"Origin: https://app.example"], 200),
        ([b"Origin: HTTPS://App.Example"], 200),
        ([b"Origin: https://app.example:8443"], 403),
        ([b"Origin: https://app.example.evil"], 403),
        ([b"Origin: http://app.example"], 403),
        ([b"Origin: null"], 403),
        ([b"Origin: "], 403),
        ([b"Origin: http://localhost:8080"], 403),
        ([b"Origin: https://app.example", b"Origin: https://evil.example"], 403),
        ([b"Sec-Fetch-Site: none"], 200),
        ([b"Sec-Fetch-Site: same-origin"], 200),
        ([b"Sec-Fetch-Site: same-site"], 403),
        ([b"Sec-Fetch-Site: cross-site"], 403),
        ([b"Sec-Fetch-Site: nonsense"], 403),
        ([b"Sec-Fetch-Site: none", b"Sec-Fetch-Site: cross-site"], 403),
        ([b"Sec-Fetch-Site: cross-site", b"Origin: https://app.example"], 200),
        ([b"Sec-Fetch-Site: none", b"Origin: https://evil.example"], 403),
    ],
)
def test_web_pages_are_kept_out_unless_their_origin_is_listed(
    lines: list[bytes], expected: int
) -> None:
    guard = Guard(HERE, origins=["https://app.example"])
    assert status(lambda: guard.browser(fields(*lines))) == expected


def basic(text: bytes) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"Authorization: Bearer k1"], ("one", True)),
        ([b"authorization: bearer k2"], ("other", True)),
        ([basic(b"user:k1")], ("one", True)),
        ([basic(b":k2")], ("other", True)),
        ([b"X-Token-Sidecar-Key: k1"], ("one", False)),
        ([b"X-Token-Sidecar-Key: k1", b"Authorization: Bearer theirs"], ("one", False)),
        ([b"X-Token-Sidecar-Key: k1", b"Authorization: Bearer k2"], ("one", True)),
        ([b"Authorization: Bearer theirs", b"Authorization: Bearer k1"], ("one", True)),
    ],
)
def test_a_key_names_its_client_and_whether_authorization_carried_it(
    lines: list[bytes], expected: tuple[str, bool]
) -> None:
    assert Guard(HERE, clients=KEYS).client(fields(*lines)) == expected


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"Authorization: k1"],
        [b"Authorization: Bearer"],
        [b"Authorization: Bearer K1"],
        [b"Authorization: Bearer k1x"],
        [b"Authorization: Digest k1"],
        [b"Authorization: Basic k1"],
        [b"Authorization: Basic !!!!"],
        [basic(b"k1")],
        [basic(b"k1:")],
        [b"X-Token-Sidecar-Key: "],
        [b"X-Token-Sidecar-Key: k1, k1"],
        [b"X-Api-Key: k1"],
        [b"Proxy-Authorization: Bearer k1"],
    ],
)
def test_without_a_valid_key_it_is_403(lines: list[bytes]) -> None:
    assert status(lambda: Guard(HERE, clients=KEYS).client(fields(*lines))) == 403


def test_without_clients_nobody_needs_a_key() -> None:
    assert Guard(HERE).client(fields(b"Authorization: Bearer x")) == (None, False)


@given(st.binary(max_size=60))
def test_arbitrary_authorizations_raise_nothing_but_message_error(value: bytes) -> None:
    line = [Field(b"authorization", value, b"")]
    assert status(lambda: Guard(HERE, clients=KEYS).client(line)) in {200, 403}


def test_every_key_is_compared_so_that_time_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    guard = Guard(HERE, clients=KEYS)
    for key in (b"k1", b"k2", b"wrong"):
        compared.clear()
        status(lambda: guard.client(fields(b"X-Token-Sidecar-Key: " + key)))  # noqa: B023 - called at once
        assert compared == [b"k1", b"k2"]
