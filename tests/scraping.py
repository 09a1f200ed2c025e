"""A collector of metrics: asks a node's page, and reads one figure of a registry."""

from __future__ import annotations

import urllib.request


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def asked(port, path="/metrics", **how):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", **how), timeout=5) as answer:  # noqa: S310 - ours
        return answer.headers, answer.read().decode()
