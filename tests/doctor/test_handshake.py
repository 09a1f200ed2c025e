"""What TLS shows of a peer: a real listener with each kind of wrong certificate, and listeners that are no node."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from tandem.arguments import Seeded
from tandem.contract import BANK, TELCO
from tandem.doctor import handshake
from tandem.doctor.handshake import shake
from tandem.node.certificates import Authority, issue, make_authority, make_party
from tandem.node.keys import save

NOW = datetime.now(UTC)


@dataclass
class Two:
    """A bank's keys on disk, and the telco's (key, certificate)."""

    authority: Authority
    keys: object
    telco: tuple[bytes, bytes]
    folder: object


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    authority = make_authority()
    bank, telco = (make_party(authority, role, role, chance=Seeded(role.encode())).keys for role in (BANK, TELCO))
    save(folder / "keys", bank)
    return Two(authority, folder / "keys", (telco.tls_key, telco.tls_certificate), folder)


@contextmanager
def answering(talk):
    """Listen; `talk(link)` with the first to come. Yields the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def serve():
            link, _ = taken.accept()
            with link:
                link.settimeout(5)
                talk(link)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield taken.getsockname()[1]
        thread.join(5)
        assert not thread.is_alive()


def server(two, key, certificate, *, version=ssl.TLSVersion.TLSv1_3, alpn="h2", trusts=None, say=b"\0\0\0\4\0\0\0\0\0"):
    """Return a talk that speaks TLS as asked for and then says something."""
    name = two.folder / f"{abs(hash((key, certificate)))}.pem"
    name.write_bytes(certificate + key)

    def talk(link):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(name)
        context.maximum_version = version
        context.set_alpn_protocols([alpn])
        if trusts:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=trusts.decode())
        try:
            with context.wrap_socket(link, server_side=True) as tls:
                tls.sendall(say) if say else tls.recv(1)
                tls.recv(1)
        except OSError:
            pass

    return talk


def look(two, talk, pinned=None, now=NOW):
    with answering(talk) as port, socket.create_connection(("127.0.0.1", port)) as link:
        return shake(link, TELCO, two.keys, pinned or two.telco[1], now)


def again(two, days):
    """Return a certificate of the telco's very key, signed by the authority, valid from two days ago for `days`."""
    key, start = load_pem_private_key(two.telco[0], None), NOW - timedelta(days=2)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "telco.tandem")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(two.authority.certificate.subject).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=days))
    return builder.sign(two.authority.key, SHA256()).public_bytes(Encoding.PEM)


def named(key, text):
    """Return a certificate of the key that it signed itself, with that name in it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    return builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_the_pinned_key_is_well(two):
    (found,) = look(two, server(two, *two.telco, trusts=two.authority.pem))
    assert found.level == "ok"
    assert "1.3" in found.text


def test_another_key_by_the_right_authority_is_wrong(two):
    (found,) = look(two, server(two, *issue(two.authority, TELCO)))
    assert found.level == "wrong"
    assert "another key is shown" in found.text
    assert "must pass TCP through" in found.remedy


def test_a_relay_that_ends_tls_is_seen_by_its_certificate(two):
    (found,) = look(two, server(two, *issue(make_authority(), "inspection.corp")))
    assert "another key is shown" in found.text
    assert "docs/deployment/nginx.md" in found.remedy


def test_the_pinned_key_with_a_new_certificate(two):
    (found,) = look(two, server(two, two.telco[0], again(two, 30)))
    assert "another certificate than peers/telco.pem" in found.text
    assert "tandem admit" in found.remedy


@pytest.mark.parametrize(("now", "word"), [(NOW, "expired on"), (NOW - timedelta(days=9), "not valid before")])
def test_a_certificate_out_of_date(two, now, word):
    stale = again(two, 1)
    (found,) = look(two, server(two, two.telco[0], stale), pinned=stale, now=now)
    assert found.level == "wrong"
    assert word in found.text
    assert "this machine's clock says" in found.text


def test_a_peer_that_does_not_know_our_authority(two):
    (found,) = look(two, server(two, *two.telco, trusts=make_authority().pem))
    assert found.level == "wrong"
    assert "our certificate" in found.text
    assert "must take in our hand-out" in found.remedy


def test_something_that_speaks_no_http_2(two):
    (found,) = look(two, server(two, *two.telco, alpn="http/1.1"))
    assert "no HTTP/2" in found.text


def test_something_older_than_tls_1_3(two):
    (found,) = look(two, server(two, *two.telco, version=ssl.TLSVersion.TLSv1_2))
    assert "does not speak TLS 1.3" in found.text


def test_a_web_server_without_tls(two):
    (found,) = look(two, lambda link: (link.recv(10), link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
    assert "does not speak TLS" in found.text
    assert "host and port" in found.remedy


def test_something_that_hangs_up(two):
    (found,) = look(two, lambda _: None)
    assert found.level == "wrong"
    assert "hung up" in found.text or "handshake failed" in found.text


@pytest.mark.parametrize("shaken", [False, True])
def test_something_that_says_nothing(two, monkeypatch, shaken):
    monkeypatch.setattr(handshake, "SHAKING", 0.2)
    talk = server(two, *two.telco, say=b"") if shaken else lambda link: link.recv(100_000) and link.recv(1)
    (found,) = look(two, talk)
    assert found.level == "wrong"
    assert ("nothing came" if shaken else "no answer to TLS") in found.text


def test_a_foreign_name_cannot_draw_on_our_screen(two):
    key, _ = issue(make_authority(), TELCO)
    (found,) = look(two, server(two, key, named(load_pem_private_key(key, None), "corp\x1b[31m\ninspection")))
    assert "corp" in found.text
    assert found.text.isprintable()
