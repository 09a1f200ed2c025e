"""Mutual TLS 1.3 with pinned keys. There is no other channel in this program.

That nothing older is spoken rests on a variable that `tandem` sets before gRPC is loaded (see there).
"""

from __future__ import annotations

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

import tandem
from tandem.contract import Contract, Role
from tandem.errors import ContractError
from tandem.node.certificates import server_name
from tandem.node.keys import Keys, spki_pin
from tandem.wire.codec import ENVELOPE_LIMIT

KEEPALIVE_MS = 30_000
"""A quiet connection is asked this often whether it lives; firewalls drop silent flows."""
KEEPALIVE_TIMEOUT_MS = 10_000
"""No answer for this long: the peer is gone."""

RECONNECT_MS = 1_000
"""A connection that failed is tried again after this long: whoever waits for a peer sets the pace, not the channel."""

METADATA_LIMIT = 8 * 1024
"""Bytes of headers that a call may carry; we send fewer than 300."""

HANDSHAKE_MS = 10_000
"""Who has not finished the TLS handshake by then is hung up on."""

OPTIONS = (
    ("grpc.max_receive_message_length", ENVELOPE_LIMIT),
    ("grpc.max_send_message_length", ENVELOPE_LIMIT),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_metadata_size", METADATA_LIMIT),
    ("grpc.absolute_max_metadata_size", METADATA_LIMIT),  # unsaid, gRPC lets twice as much pass
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
    ("grpc.min_reconnect_backoff_ms", RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", RECONNECT_MS),
)
SERVER_OPTIONS = (
    *OPTIONS,
    ("grpc.max_concurrent_streams", 16),
    ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
    ("grpc.http2.max_ping_strikes", 4),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
)


def require_1_3() -> None:
    """Pass if gRPC was told in time to speak nothing older than TLS 1.3. Raises RuntimeError: a programmer's mistake, no user's."""
    if tandem.GRPC_CAME_FIRST:
        raise RuntimeError("grpc was imported before tandem and would speak TLS 1.2: import tandem first")


def server_credentials(keys: Keys) -> grpc.ServerCredentials:
    """Return what a listener shows, and demands of whoever calls: a certificate of the parties' own authority."""
    require_1_3()
    return grpc.ssl_server_credentials(
        [(keys.tls_key, keys.tls_certificate)], root_certificates=keys.authority, require_client_auth=True
    )


def channel(address: str, keys: Keys, certificate: bytes, contract: Contract, role: Role) -> grpc.aio.Channel:
    """Return a channel to `role` at `address`, which must hold the key of `certificate`, which the contract must pin.

    The certificate is the only root: no other key, whoever signed it, completes the handshake. Raises ContractError for another pin.
    """
    require_1_3()
    _require_curve(certificate)
    pin = spki_pin(certificate)
    if contract.role_of_pin(pin) != role:
        raise ContractError(f"contract {contract.id}: peers/{role}.pem holds the key of another party: fetch the {role}'s own")
    credentials = grpc.ssl_channel_credentials(certificate, keys.tls_key, keys.tls_certificate)
    return grpc.aio.secure_channel(address, credentials, options=(*OPTIONS, ("grpc.ssl_target_name_override", server_name(role))))


def peer_pin(context: grpc.aio.ServicerContext[bytes, bytes]) -> str:
    """Return the pin of the key with which the caller proved itself. Raises ContractError where there is none, or of another kind."""
    found = list(context.auth_context().get("x509_pem_cert", ()))
    if len(found) != 1:
        raise ContractError("the caller showed no certificate")
    _require_curve(found[0])
    return spki_pin(found[0])


def _require_curve(certificate: bytes) -> None:
    """Pass for a key on P-256, which `tandem init` makes; a contract that pins a weaker one helps it no further. Raises ContractError."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ContractError("the key of a TLS certificate must be ECDSA P-256: make new keys with `tandem init`")
