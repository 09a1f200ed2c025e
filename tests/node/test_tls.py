"""Who gets as far as a handler: nobody but a caller with TLS 1.3, a certificate of the authority, and the key that the contract pins."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import warnings
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from puppets import puppet, whole
from three_parties import make_site

from tandem.align.script import ALIGN
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import REFUSED, ContractError, PeerLost
from tandem.node import tls
from tandem.node.casting import VERSION, Cast
from tandem.node.certificates import Authority, issue, key_pem, make_authority, make_party
from tandem.node.client import Dialler, Stage
from tandem.node.driver import METHOD
from tandem.node.keys import spki_pin
from tandem.node.server import Server
from tandem.session.session import Session
from tandem.session.tap import untapped
from tandem.train.script import TRAIN
from tandem.wire.messages import Opening

SESSION = bytes(range(16))
OPENING = Opening(VERSION, ALIGN.name, 0, ("ids",), (3,), b"")
NOW = datetime.now(UTC)


class Counting:
    """A telco that plays a puppet's alignment, and counts how often it was asked to."""

    role = TELCO
    scripts = {ALIGN.name: ALIGN, TRAIN.name: TRAIN}  # noqa: RUF012 - never changed

    def __init__(self, contract):
        self._contract, self.casts = contract, 0

    def contract(self, digest):
        if digest != self._contract.digest:
            raise ContractError("unknown")
        return self._contract

    def cast(self, contract, session, opening):
        self.casts += 1
        return Cast(ALIGN, "holder", puppet("holder", whole(ALIGN)))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def authority(site):
    ca = site.root / "ca"
    key = secret_half((ca / "ca.key").read_bytes())
    return Authority(x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes()), key)


def pinning(site, pin):
    """Return the contract, with that pin for the bank if one is given: a new contract is how a key is revoked."""
    return site.contract.amended({BANK: {"tls_pin": [pin]}}) if pin else site.contract


def secret_half(pem):
    return load_pem_private_key(pem, None)


@asynccontextmanager
async def listening(site, keys=None, pin=None):
    told, troupe = [], Counting(pinning(site, pin))
    server = Server(troupe, keys or site.parties[TELCO].keys, lambda *_: untapped, told.append, opening_patience=3.0)
    port = await server.start("127.0.0.1:0")
    try:
        yield port, troupe, told
    finally:
        await server.stop()


def first_frame(contract, role="seeker", opening=OPENING, script=ALIGN, session=SESSION):
    run = Session(script, role, contract.digest, session, opening).run(puppet(role, whole(script)))
    try:
        return next(run).frame
    finally:
        run.close()


async def call(site, port, key, certificate, root=None, name="telco.tandem", frame=None):
    """Dial as gRPC does, say an opening, and return the status with which the stream ended."""
    root = root or site.parties[TELCO].keys.tls_certificate
    options = (("grpc.ssl_target_name_override", name),)
    credentials = grpc.ssl_channel_credentials(root, key, certificate)
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        stream = channel.stream_stream(METHOD)()
        try:
            await stream.write(frame or first_frame(site.contract))
            await stream.done_writing()
            while await stream.read() is not grpc.aio.EOF:
                pass
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass
        return await stream.code(), await stream.details()


async def seek(site, port):
    """Play the bank's side of an alignment as the shipped client does."""
    telco = site.parties[TELCO].keys.tls_certificate
    dialler = Dialler(site.parties[BANK].keys, site.contract, {TELCO: (f"127.0.0.1:{port}", telco)})
    try:
        cast = Cast(ALIGN, "seeker", puppet("seeker", whole(ALIGN)))
        return await Stage(site.contract, dialler, 10.0).play(cast, SESSION, OPENING, untapped)
    finally:
        await dialler.close()


def own_certificate(key, *, name="bank.tandem", signer=None, authority=None):
    """Return a certificate of any kind of key, signed by the authority or by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .issuer_name(authority.certificate.subject if authority else subject)
        .not_valid_before(NOW - timedelta(hours=1)).not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return builder.sign(authority.key if authority else key, SHA256()).public_bytes(Encoding.PEM)


def strangers(site, authority):
    """Return by name what makes (key, certificate) of a caller that must be kept out."""
    bank, fresh = site.parties[BANK].keys, generate_private_key(SECP256R1())
    short, long_rsa = rsa.generate_private_key(65537, 1024), rsa.generate_private_key(65537, 2048)  # noqa: S505 - it must be refused
    return {
        "no client certificate": lambda: (None, None),
        "self-signed": lambda: (key_pem(fresh), own_certificate(fresh)),
        "the pinned key, but self-signed": lambda: (bank.tls_key, own_certificate(secret_half(bank.tls_key))),
        "expired": lambda: issue(authority, BANK, days=1, now=NOW - timedelta(days=2)),
        "the pinned key, but expired": lambda: (bank.tls_key, expired(authority, secret_half(bank.tls_key))),
        "not yet valid": lambda: issue(authority, BANK, now=NOW + timedelta(days=2)),
        "other CA": lambda: issue(make_authority(), BANK),
        "right CA, wrong pin": lambda: issue(authority, BANK),
        "wrong name": lambda: issue(authority, "elsewhere"),
        "revoked": lambda: (bank.tls_key, bank.tls_certificate),
        "1024-bit RSA": lambda: (key_pem(short), own_certificate(short, authority=authority)),
        "2048-bit RSA": lambda: (key_pem(long_rsa), own_certificate(long_rsa, authority=authority)),
        "wrong role": lambda: (site.parties[COORDINATOR].keys.tls_key, site.parties[COORDINATOR].keys.tls_certificate),
        "our own key": lambda: (site.parties[TELCO].keys.tls_key, site.parties[TELCO].keys.tls_certificate),
    }


MATRIX = (
    "none", "1.2", "self-signed", "expired", "not yet valid", "other CA", "right CA, wrong pin", "wrong role", "no client certificate",
    "wrong name", "revoked", "1024-bit RSA", "plain TCP", "downgrade",
)
"""Every way to call that must not reach a handler."""
BESIDES = ("the pinned key, but self-signed", "the pinned key, but expired", "2048-bit RSA", "our own key")
REFUSED_BY_THE_CONTRACT = {"right CA, wrong pin", "wrong role", "wrong name", "revoked", "1024-bit RSA", "2048-bit RSA", "our own key"}
"""TLS lets these in, as it must: the authority signed them, and the key is theirs."""


async def turned_away(site, authority, port, case, contract):
    """Call in one of the ways of `MATRIX`, and return status and word with which that ended."""
    if case == "none":
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            return await channel.stream_stream(METHOD)().code(), None
    if case == "plain TCP":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        answer = await asyncio.wait_for(reader.read(), 5.0)
        writer.close()
        return (grpc.StatusCode.UNAVAILABLE if METHOD.encode() not in answer and len(answer) < 100 else grpc.StatusCode.OK), None
    if case in {"1.2", "downgrade"}:  # the latter: everything older and weaker is offered, as after somebody between has cut the hello
        try:
            await handshake(site, port, ssl.TLSVersion.TLSv1_2, ciphers="ALL:@SECLEVEL=0" if case == "downgrade" else None)
        except (ssl.SSLError, ConnectionResetError):
            return grpc.StatusCode.UNAVAILABLE, None
        return grpc.StatusCode.OK, None
    shown = strangers(site, authority)[case]()
    return await call(site, port, *shown, frame=first_frame(contract))


@pytest.mark.parametrize("case", [*MATRIX, *BESIDES])
def test_no_stranger_reaches_the_handler_and_the_party_of_the_contract_does(site, authority, case):
    async def run():
        pin = spki_pin(issue(authority, BANK)[1]) if case == "revoked" else None
        async with listening(site, pin=pin) as (port, troupe, told):
            code, word = await turned_away(site, authority, port, case, pinning(site, pin))
            assert troupe.casts == 0
            if case == "revoked":
                assert "TLS key" in told[0]
        async with listening(site) as (port, troupe, _):
            assert len(await seek(site, port)) == 3
            assert troupe.casts == 1
        return code, word

    code, word = asyncio.run(run())
    assert (code, word == REFUSED) == (
        (grpc.StatusCode.FAILED_PRECONDITION, True) if case in REFUSED_BY_THE_CONTRACT else (grpc.StatusCode.UNAVAILABLE, False)
    )


def test_the_table_has_fourteen_lines():
    assert len(set(MATRIX)) == 14


@pytest.mark.parametrize(("weak", "reached"), [(False, 0), (True, 1)], ids=["shipped", "without the check"])
def test_a_weak_key_is_refused_though_a_contract_pins_it(site, authority, monkeypatch, weak, reached):
    if weak:
        monkeypatch.setattr(tls, "_require_curve", lambda _: None)
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it must be refused
    certificate = own_certificate(short, authority=authority)

    async def run():
        pin = spki_pin(certificate)
        async with listening(site, pin=pin) as (port, troupe, told):
            await call(site, port, key_pem(short), certificate, frame=first_frame(pinning(site, pin)))
            return troupe.casts, told

    casts, told = asyncio.run(run())
    assert casts == reached
    assert weak or "must be ECDSA P-256" in told[0]


def expired(authority, key):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank.tandem")])
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(authority.certificate.subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=3)).not_valid_after(NOW - timedelta(days=1))
        .sign(authority.key, SHA256()).public_bytes(Encoding.PEM)
    )


async def handshake(site, port, version, *, root=None, ciphers=None):
    """Shake hands as Python's ssl does, with the bank's own certificate; return the version agreed on."""
    keys = site.parties[BANK].keys
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(cadata=(root or keys.authority).decode())
    folder = site.folder(BANK) / "keys"
    context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="telco.tandem")
    try:
        return writer.get_extra_info("ssl_object").version()
    finally:
        writer.transport.abort()  # gRPC has begun to speak HTTP/2: a polite end would trip over it


def test_tls_1_3_and_nothing_older(site):
    async def run():
        async with listening(site) as (port, troupe, _):
            assert await handshake(site, port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await handshake(site, port, ssl.TLSVersion.TLSv1_2)
            assert troupe.casts == 0

    asyncio.run(run())


def test_grpc_loaded_before_us_is_not_used():
    """It has read its settings already, and would speak TLS 1.2."""
    code = (
        "import grpc\nfrom tandem.node import tls\n"
        "try: tls.server_credentials(None)\nexcept RuntimeError as error: print(error)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_SSL_CIPHER_SUITES"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "grpc was imported before tandem and would speak TLS 1.2: import tandem first\n"


def test_openssl_cannot_talk_the_server_down(site):
    async def run():
        async with listening(site) as (port, troupe, _):
            found = {}
            for version in ("-tls1_1", "-tls1_2", "-tls1_3"):
                folder = site.folder(BANK) / "keys"
                process = await asyncio.create_subprocess_exec(
                    "openssl", "s_client", version, "-connect", f"127.0.0.1:{port}",
                    "-cert", folder / "tls.pem", "-key", folder / "tls.key", "-CAfile", folder / "ca.pem",
                    "-verify_return_error", "-alpn", "h2", "-cipher", "ALL:@SECLEVEL=0",
                    stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )
                out, _ = await process.communicate()
                found[version] = b"Verify return code: 0 (ok)" in out and b"Cipher is (NONE)" not in out
            assert troupe.casts == 0
            return found

    assert asyncio.run(run()) == {"-tls1_1": False, "-tls1_2": False, "-tls1_3": True}


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bytes(100)])
def test_plain_tcp_is_hung_up_on(site, said):
    async def run():
        async with listening(site) as (port, troupe, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            answer = await asyncio.wait_for(reader.read(), 5.0)
            writer.close()
            assert b"200" not in answer
            assert troupe.casts == 0

    asyncio.run(run())


def test_a_channel_without_tls_reaches_nothing(site):
    async def run():
        async with listening(site) as (port, troupe, _), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stream = channel.stream_stream(METHOD)()
            assert await stream.code() is grpc.StatusCode.UNAVAILABLE
            assert troupe.casts == 0

    asyncio.run(run())


@pytest.mark.parametrize("server", ["same authority", "other authority", "wrong role"])
def test_the_client_refuses_a_server_with_another_key_than_the_pinned(site, authority, server):
    keys = {
        "same authority": make_party(authority, TELCO, "telco", chance=Seeded(b"x")).keys,
        "other authority": make_party(make_authority(), TELCO, "telco", chance=Seeded(b"x")).keys,
        "wrong role": site.parties[COORDINATOR].keys,
    }[server]

    async def run():
        async with listening(site, keys) as (port, troupe, _):
            with pytest.raises(PeerLost, match="another key than the pinned one"):
                await seek(site, port)
            assert troupe.casts == 0

    asyncio.run(run())


def test_the_client_refuses_the_pinned_key_under_another_name_or_out_of_date(site, authority):
    """The certificate is its own root, so name and dates are what is left to check in it."""
    pinned = site.parties[TELCO].keys

    async def run(certificate, name):
        shown = replace(pinned, tls_certificate=certificate)
        async with listening(site, shown) as (port, troupe, _):
            bank = site.parties[BANK].keys
            code, _ = await call(site, port, bank.tls_key, bank.tls_certificate, root=certificate, name=name)
            assert troupe.casts == 0
            return code

    key = secret_half(pinned.tls_key)
    elsewhere = own_certificate(key, name="elsewhere.tandem", authority=authority)
    assert asyncio.run(run(elsewhere, "telco.tandem")) is grpc.StatusCode.UNAVAILABLE
    assert asyncio.run(run(expired(authority, key), "bank.tandem")) is grpc.StatusCode.UNAVAILABLE


def test_a_peers_certificate_that_the_contract_does_not_pin_is_never_dialled(site, authority):
    _, certificate = issue(authority, TELCO)
    with pytest.raises(ContractError, match=r"holds the key of another party|belongs to no party"):
        tls.channel("127.0.0.1:1", site.parties[BANK].keys, certificate, site.contract, TELCO)
    with pytest.raises(ContractError, match="holds the key of another party"):
        tls.channel("127.0.0.1:1", site.parties[BANK].keys, site.parties[COORDINATOR].keys.tls_certificate, site.contract, TELCO)


def test_a_port_in_use_is_a_clear_error(site):
    told = []

    async def run(port):
        server = Server(Counting(site.contract), site.parties[TELCO].keys, lambda *_: untapped, told.append)
        with pytest.raises(ContractError, match="is another node running there"):
            await server.start(f"127.0.0.1:{port}")
        await server.stop()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        asyncio.run(run(taken.getsockname()[1]))
