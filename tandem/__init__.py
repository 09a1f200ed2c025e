"""Tandem: two parties align customers, train one model and score, while each row stays where it is or under its owner's key."""

from __future__ import annotations

import os
import sys

TLS_1_2_SUITES = "ECDHE-RSA-AES256-GCM-SHA384"
"""What gRPC may offer to a peer that speaks TLS 1.2 or less.

Python's gRPC has no setting for the lowest version. All our certificates are ECDSA, so with an RSA suite alone no 1.2 handshake finds
anything to agree on, while 1.3 has suites of its own. gRPC reads the variable when it is loaded, hence here; `node.tls` makes sure.
"""
GRPC_CAME_FIRST = "grpc" in sys.modules and os.environ.get("GRPC_SSL_CIPHER_SUITES") != TLS_1_2_SUITES
"""gRPC was loaded before us, without the variable: it would speak TLS 1.2."""
os.environ["GRPC_SSL_CIPHER_SUITES"] = TLS_1_2_SUITES
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
"""Else gRPC writes two hundred bytes for each stranger that knocks: anybody who reaches the port could fill the disk."""

__version__ = "0.1.0"
