"""The way to a server, broken at each step for real: names, ports, certificates, versions."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.config.model import Egress, Tls
from proxy.doctor.finding import Finding, State
from proxy.doctor.network import Way, walk
from proxy.runtime.tls import TlsContexts
from tests.support.certificates import DAY, Authority, self_signed
from tests.support.process import free_port


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def server(context: ssl.SSLContext | None, *, answers: bool = True) -> Iterator[int]:
    """Accepts connections, with TLS or with a word that is none, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if context is None:
                    connection.sendall(b"HTTP/1.0 400 what?\r\n\r\n")
                    continue
                try:
                    with context.wrap_socket(connection, server_side=True) as secured:
                        secured.settimeout(2)
                        if secured.recv(4096) and answers:
                            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def steps(port: int, tls: Tls = Tls(), host: str = "127.0.0.1", **more: str) -> list[Finding]:  # noqa: B008 - frozen
    context = TlsContexts().get(tls)
    way = Way("api", "provider", f"https://{host}:{port}/", tls, Egress(), context)
    return list(walk(way, more))


def last(port: int, tls: Tls = Tls(), host: str = "127.0.0.1", **more: str) -> Finding:  # noqa: B008 - frozen
    return steps(port, tls, host, **more)[-1]


def trusting(authority: Authority) -> Tls:
    return Tls(ca_file=authority.ca_file)


def test_a_good_server_passes_every_step(authority: Authority) -> None:
    with server(authority.server_context(authority.issue())) as port:
        found = steps(port, trusting(authority))
    assert [one.step for one in found] == [
        "provider proxy",
        "provider name",
        "provider TCP",
        "provider TLS",
    ]
    assert all(one.state is State.GOOD for one in found)
    assert "TLSv1.3, certificate until 20" in found[-1].told


def test_a_name_that_nobody_has() -> None:
    found = last(443, host="nobody.invalid")
    assert (found.step, found.cause) == ("provider name", "name_unknown")


def test_a_port_where_nobody_listens() -> None:
    assert last(free_port()).cause == "port_closed"


def test_an_authority_that_this_machine_does_not_know(authority: Authority) -> None:
    with server(authority.server_context(authority.issue())) as port:
        found = last(port)
    assert found.cause == "unknown_authority"
    assert "a test's authority" in found.told
    assert "tls.ca_file" in found.advice


def test_a_ca_file_of_another_authority(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with server(authority.server_context(authority.issue())) as port:
        found = last(port, trusting(other))
    assert found.cause == "wrong_ca_file"
    assert "ca.pem" in found.told


def test_a_certificate_that_ended(authority: Authority) -> None:
    pair = authority.issue(ends=dt.timedelta(days=-2))
    with server(authority.server_context(pair)) as port:
        found = last(port, trusting(authority))
    assert found.cause == "certificate_expired"
    assert f"{dt.datetime.now(dt.UTC) - 2 * DAY:%Y-%m-%d}" in found.told


def test_a_certificate_for_another_name(authority: Authority) -> None:
    pair = authority.issue("api.example.com", addresses=())
    with server(authority.server_context(pair)) as port:
        found = last(port, trusting(authority), host="localhost")
    assert found.cause == "certificate_name"
    assert "api.example.com" in found.told


def test_a_certificate_signed_by_itself(tmp_path: Path) -> None:
    pair = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.cert_file, pair.key_file)
    with server(context) as port:
        found = last(port, host="localhost")
    assert found.cause == "self_signed"
    assert "openssl s_client" in found.advice


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_our_certificate(authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server_context(authority.issue(), ask_client=True)
    context.minimum_version = context.maximum_version = version
    with server(context) as port:
        found = last(port, trusting(authority))
        shown = authority.issue("client")
        ours = replace(trusting(authority), cert_file=shown.cert_file, key_file=shown.key_file)
        assert last(port, ours).state is State.GOOD
    assert found.cause == "client_certificate"
    assert "tls.cert_file" in found.advice


def test_a_server_that_ends_the_connection_without_a_word(authority: Authority) -> None:
    with server(authority.server_context(authority.issue()), answers=False) as port:
        assert last(port, trusting(authority)).cause == "client_certificate"


def test_a_server_that_speaks_old_versions_alone(authority: Authority) -> None:
    context = authority.server_context(authority.issue())
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with server(context) as port:
        assert last(port, trusting(authority)).cause == "old_tls"


def test_a_port_without_tls() -> None:
    with server(None) as port:
        assert last(port).cause == "no_tls"


def test_what_is_not_verified_is_said(authority: Authority) -> None:
    with server(authority.server_context(authority.issue())) as port:
        found = last(port, Tls(verify=False))
    assert "not verified" in found.told


def test_the_variables_that_name_a_proxy_are_told() -> None:
    port = free_port()
    found = steps(443, host="idp.example.com", HTTPS_PROXY=f"http://me:canary@127.0.0.1:{port}")
    assert found[0].told == f"through http://127.0.0.1:{port} (HTTPS_PROXY set)"
    assert (found[-1].step, found[-1].cause) == ("provider TCP", "port_closed")
    assert "canary" not in str(found)
