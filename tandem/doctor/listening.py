"""Whether our own node listens: the health question of gRPC, over TLS, to ourselves. Also what a container's health check asks."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tandem.contract import Role
from tandem.doctor.findings import Finding, ok, warning
from tandem.doctor.way import split
from tandem.node.certificates import server_name
from tandem.node.driver import METHOD
from tandem.node.keys import Keys

ASKING = 2.0
"""Seconds to wait for an answer from this machine."""


def listening(role: Role, own: Keys, listen: str) -> Finding:
    """Ask our own node whether it serves."""
    host, port = split(listen)
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what a configuration may say, and where that is from here
    address = f"[{near}]:{port}" if ":" in near else f"{near}:{port}"
    credentials = grpc.ssl_channel_credentials(own.tls_certificate, own.tls_key, own.tls_certificate)
    options = (("grpc.ssl_target_name_override", server_name(role)), ("grpc.enable_http_proxy", 0))
    with grpc.secure_channel(address, credentials, options=options) as channel:
        request = health_pb2.HealthCheckRequest(service=METHOD[1:].partition("/")[0])
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=ASKING)
        except grpc.RpcError:
            return warning("this node", f"nobody with our key listens at {address}", f"start it: tandem {role} serve --config NODE.toml")
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        return warning("this node", f"listens at {address} but does not serve", "start it again; its log says more")
    return ok("this node", f"serves at {listen}; whether others get there, their doctor tells")
