"""TLS with a peer, looked at from outside gRPC, which calls everything unavailable: whose key is shown, and whether we are let in."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tandem.contract import Role
from tandem.doctor.findings import Finding, ok, wrong
from tandem.doctor.home import certificate
from tandem.node.certificates import server_name, spki_pin

SHAKING = 2.5
"""Seconds for the handshake, and again for the first word after it."""
RELAY = "if a relay stands between, it must pass TCP through and not end TLS (docs/deployment/nginx.md)"
"""What to do about a certificate that is not the peer's."""


def shake(link: socket.socket, peer: Role, keys: Path, pinned: bytes, now: datetime) -> list[Finding]:
    """Shake hands over an open connection and return what is to be said of it. `pinned`: peers/<peer>.pem. Nothing is sent beyond TLS."""
    subject = f"{peer}: TLS"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # we want to see a wrong certificate; sessions go over gRPC, which admits the pinned one alone
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(keys / "tls.pem", keys / "tls.key")
    link.settimeout(SHAKING)
    try:
        with context.wrap_socket(link, server_hostname=server_name(peer)) as tls:
            told = shown(peer, tls.getpeercert(binary_form=True) or b"", pinned, now)
            if any(each.level == "wrong" for each in told):
                return told
            if tls.selected_alpn_protocol() != "h2":
                return [wrong(subject, "the pinned key, but no HTTP/2 behind it", f"correct the address; {RELAY}")]
            return [*told, _let_in(tls, peer)]
    except ssl.SSLError as error:
        return [_broken(subject, error)]
    except TimeoutError:
        return [wrong(subject, f"no answer to TLS within {SHAKING:.0f} s", f"ask the {peer} what listens at this port; {RELAY}")]
    except OSError:
        return [wrong(subject, "hung up on when TLS began", f"ask the {peer} whether its node runs behind this port; {RELAY}")]


def shown(peer: Role, der: bytes, pinned: bytes, now: datetime) -> list[Finding]:
    """Hold the certificate that was shown against the pinned one."""
    subject = f"{peer}: TLS"
    if not der:
        return [wrong(subject, "no certificate was shown", f"correct the address; {RELAY}")]
    found = x509.load_der_x509_certificate(der)
    pem = found.public_bytes(Encoding.PEM)
    if spki_pin(pem) != spki_pin(pinned):
        text = f"another key is shown (pin {spki_pin(pem)[:16]}..., issued by {_name(found.issuer)}) than that of peers/{peer}.pem"
        return [wrong(subject, text, f"{RELAY}; if the {peer} has new keys, take in its new hand-out and draft a new contract")]
    if found != x509.load_pem_x509_certificate(pinned):
        remedy = f"ask the {peer} for it and take it in with `tandem admit`"
        return [wrong(subject, f"the pinned key is shown with another certificate than peers/{peer}.pem", remedy)]
    dated = certificate(subject, pem, now, f"ask the {peer} for a new certificate")
    return [] if dated.level != "wrong" else [dated]


def _let_in(tls: ssl.SSLSocket, peer: Role) -> Finding:
    """Wait for the first word after the handshake: in TLS 1.3 only then does a client hear that its own certificate was refused."""
    subject = f"{peer}: TLS"
    remedy = f"the {peer} must take in our hand-out (`tandem admit`) and start its node again; see to the dates of our certificate too"
    try:
        first = tls.recv(1)
    except ssl.SSLError as error:
        return wrong(subject, f"the {peer} refuses our certificate ({_reason(error)})", remedy)
    except TimeoutError:
        return wrong(subject, "the handshake went well, then nothing came", f"ask the {peer} what listens at this port; {RELAY}")
    except OSError:
        first = b""
    if not first:
        return wrong(subject, f"the {peer} hangs up when it sees our certificate", remedy)
    return ok(subject, "version 1.3, the pinned key; our certificate is let in")


def _broken(subject: str, error: ssl.SSLError) -> Finding:
    reason = _reason(error)
    if "WRONG_VERSION_NUMBER" in reason or "RECORD" in reason:
        return wrong(subject, "what answers does not speak TLS", "correct host and port")
    if "VERSION" in reason or "PROTOCOL" in reason:
        return wrong(subject, "what answers does not speak TLS 1.3: it is no node of ours", f"correct host and port; {RELAY}")
    return wrong(subject, f"the handshake failed ({reason})", f"correct host and port; {RELAY}")


def _reason(error: ssl.SSLError) -> str:
    return error.reason or type(error).__name__


def _name(name: x509.Name) -> str:
    """Return a name in a certificate, fit for a screen: whoever answered wrote it."""
    return "".join(letter for letter in name.rfc4514_string() if letter.isprintable())[:80]
