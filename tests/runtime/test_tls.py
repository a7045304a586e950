from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from proxy.config.model import Certificate, Position, Tls
from proxy.net.trust import TlsError
from proxy.runtime.tls import TlsContexts
from tests.support.certificates import Authority


def test_equal_settings_share_a_context() -> None:
    contexts = TlsContexts()
    assert contexts.get(Tls()) is contexts.get(Tls())
    assert contexts.get(Tls()) is not contexts.get(Tls(verify=False))


def test_the_system_is_trusted_and_names_are_checked_unless_told_otherwise() -> None:
    context = TlsContexts().get(Tls())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    careless = TlsContexts().get(Tls(verify=False))
    assert careless.verify_mode is ssl.CERT_NONE
    assert not careless.check_hostname


def test_no_peer_may_begin_the_handshake_anew() -> None:
    assert ssl.OP_NO_RENEGOTIATION in TlsContexts().get(Tls()).options


def test_a_listener_shows_its_certificate_over_modern_tls_and_http_1(tmp_path: Path) -> None:
    contexts, pair = TlsContexts(), Authority(tmp_path).issue()
    at = Position("c.yaml", 1, 1)
    certificate = Certificate(pair.cert_file, pair.key_file, at)
    context = contexts.serving(certificate)
    assert context is contexts.serving(Certificate(pair.cert_file, pair.key_file, at))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE
    Authority(tmp_path).issue()
    assert contexts.serving(certificate) is not context  # the files changed
    with pytest.raises(TlsError, match="with its own, unencrypted private key"):
        contexts.serving(Certificate(pair.cert_file, None, at))


def test_an_own_authority_is_trusted_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = TlsContexts().get(Tls(ca_file=authority.ca_file))
    assert len(context.get_ca_certs()) == 1


def test_a_file_that_changed_makes_a_new_context(tmp_path: Path) -> None:
    contexts = TlsContexts()
    tls = Tls(ca_file=Authority(tmp_path).ca_file)
    first = contexts.get(tls)
    Authority(tmp_path)
    assert contexts.get(tls) is not first


def test_a_file_that_is_written_anew_with_the_same_content_changes_nothing(tmp_path: Path) -> None:
    contexts, pair = TlsContexts(), Authority(tmp_path).issue()
    tls = Tls(cert_file=pair.cert_file, key_file=pair.key_file)
    certificate = Certificate(pair.cert_file, pair.key_file, Position("c.yaml", 1, 1))
    first, shown = contexts.get(tls), contexts.serving(certificate)
    for path in (pair.cert_file, pair.key_file):
        new = path.with_suffix(".new")
        new.write_bytes(path.read_bytes())
        new.replace(path)
    assert contexts.get(tls) is first
    assert contexts.serving(certificate) is shown


def test_what_is_not_kept_is_made_anew_and_what_is_kept_is_not(tmp_path: Path) -> None:
    contexts, pair = TlsContexts(), Authority(tmp_path).issue()
    at = Position("c.yaml", 1, 1)
    certificate = Certificate(pair.cert_file, pair.key_file, at)
    kept, gone = contexts.get(Tls()), contexts.get(Tls(verify=False))
    shown = contexts.serving(certificate)
    contexts.keep({Tls()}, [certificate])
    assert contexts.get(Tls()) is kept
    assert contexts.get(Tls(verify=False)) is not gone
    assert contexts.serving(certificate) is shown
    contexts.keep({Tls()}, [])
    assert contexts.serving(certificate) is not shown


def test_a_client_certificate_is_loaded_with_its_key(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue()
    TlsContexts().get(Tls(cert_file=pair.cert_file, key_file=pair.key_file))


def test_a_certificate_with_the_wrong_key_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    with pytest.raises(TlsError, match="with its own, unencrypted private key"):
        TlsContexts().get(Tls(cert_file=one.cert_file, key_file=other.key_file))


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_an_authority_that_can_not_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TlsError, match=str(path)):
        TlsContexts().get(Tls(ca_file=path))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue()
    pair.key_file.unlink()
    with pytest.raises(TlsError, match=f"{pair.key_file} can't be read"):
        TlsContexts().get(Tls(cert_file=pair.cert_file, key_file=pair.key_file))
