"""From a name to an open connection, and the proxies between: each way of failing is another remedy."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from small_servers import listening_socket, proxy

from tandem.contract import TELCO
from tandem.doctor import handshake, listening, peers, way


def fault(call, *arguments):
    with pytest.raises(way.Unreached) as refused:
        call(*arguments)
    return refused.value.finding


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = fault(way.resolve, TELCO, "nobody.invalid")
    assert (found.level, found.subject) == ("wrong", "telco: name")
    assert "nobody.invalid is not known here" in found.text
    assert "DNS" in found.remedy


def test_a_name_server_that_says_nothing(monkeypatch):
    monkeypatch.setattr(way, "NAMING", 0.05)
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [released.wait(5)][1:])
    found = fault(way.resolve, TELCO, "telco.example")
    released.set()
    assert "nobody answered" in found.text
    assert "DNS servers" in found.remedy


def test_a_name_that_is_known():
    assert "127.0.0.1" in way.resolve(TELCO, "127.0.0.1").text


def test_a_port_where_nobody_listens_refuses():
    with listening_socket() as (_, place):
        pass
    found = fault(way.connect, TELCO, place, None)
    assert "refuses" in found.text
    assert "start the node" in found.remedy


def test_a_port_behind_a_firewall_says_nothing(monkeypatch):
    monkeypatch.setattr(way, "CONNECTING", 0.2)
    with listening_socket(0) as (_, place):
        host, port = way.split(place)
        waiting = []
        for _ in range(8):  # fill its queue: what comes then gets no answer, as behind a firewall that drops
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex((host, port))
        found = fault(way.connect, TELCO, place, None)
        for each in waiting:
            each.close()
    assert "says nothing" in found.text
    assert "firewall" in found.remedy


@pytest.mark.parametrize(("error", "word"), [(OSError(101, "Network is unreachable"), "no route"), (OSError(22, "odd"), "odd")])
def test_other_ways_to_fail(monkeypatch, error, word):
    def broken(*_):
        raise error

    monkeypatch.setattr(socket, "create_connection", broken)
    assert word in fault(way.connect, TELCO, "10.0.0.1:1", None).text


@pytest.mark.parametrize(("environment", "expected"), [
    ({}, None),
    ({"http_proxy": "http://proxy.example:3128"}, ("http_proxy", "proxy.example:3128")),
    ({"http_proxy": "http://a:1", "https_proxy": "http://b:2", "grpc_proxy": "http://c:3"}, ("grpc_proxy", "c:3")),
    ({"http_proxy": "http://a:1", "https_proxy": "http://b:2"}, ("https_proxy", "b:2")),
    ({"HTTP_PROXY": "http://a:1"}, None),
    ({"http_proxy": "proxy.example"}, ("http_proxy", "proxy.example:80")),
    ({"http_proxy": "socks5://a:1"}, None),
    ({"http_proxy": "http://a:1", "no_proxy": "localhost, .example"}, None),
    ({"http_proxy": "http://a:1", "no_proxy": "other.test"}, ("http_proxy", "a:1")),
    ({"http_proxy": "http://a:1", "no_proxy": ".example", "no_grpc_proxy": "other"}, ("http_proxy", "a:1")),
])
def test_the_proxy_that_grpc_would_take(environment, expected):
    found = way.proxy_for("telco.example", environment)
    assert (found and (found.variable, found.place)) == expected


def test_a_proxys_password_is_shown_nowhere():
    found = way.proxy_for("telco.example", {"http_proxy": "http://user:geheim@proxy:3128"})
    told = way.proxied(TELCO, "telco.example", found)
    assert "geheim" not in repr(found) + repr(told)
    assert "no_grpc_proxy=telco.example" in told.remedy
    with proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as (place, asked):
        host, port = way.split(place)
        refused = fault(way.connect, TELCO, "telco.example:7443", way.Proxy("http_proxy", host, port, "user:geheim"))
    assert "answers CONNECT with 407" in refused.text
    assert "geheim" not in repr(refused)
    assert "CONNECT telco.example:7443 HTTP/1.1" in asked[0]
    assert "Proxy-Authorization: Basic dXNlcjpnZWhlaW0=" in asked[0]


@pytest.mark.parametrize("reply", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"garbage\r\n\r\n", b""])
def test_a_proxy_that_does_not_let_us_through(reply):
    with proxy(reply) as (place, _):
        host, port = way.split(place)
        found = fault(way.connect, TELCO, "telco.example:7443", way.Proxy("http_proxy", host, port))
    assert found.subject == "telco: proxy"
    assert "no_grpc_proxy=telco.example" in found.remedy


def test_a_proxy_that_lets_us_through_hands_over_every_byte_of_the_peer():
    """Even what comes in one packet with the proxy's own answer."""
    with listening_socket() as (_, place), proxy(b"HTTP/1.1 200 ok\r\n\r\nfirst") as (through, _):
        host, port = way.split(through)
        with way.connect(TELCO, place, way.Proxy("http_proxy", host, port)) as link:
            assert link.recv(5) == b"first"


def test_the_whole_ends_within_twenty_seconds():
    """Deadlines of the steps that can follow each other; peers are looked at side by side."""
    steps = way.NAMING + way.CONNECTING + 2 * handshake.SHAKING + peers.PROBING + listening.ASKING
    assert steps <= 20.0


def test_peers_are_reached_side_by_side(monkeypatch):
    monkeypatch.setattr(way, "resolve", lambda *_: time.sleep(0.3) or way.ok("x", "y"))
    with listening_socket() as (_, place):
        both = [peers.Peer(role, place, None) for role in ("telco", "coordinator")]
        began = time.monotonic()
        found = peers.reach(None, both, None, {})
        assert time.monotonic() - began < 0.55
    assert [told[-1].level for told in found.values()] == ["ok", "ok"]
