"""Small real servers for tests of what lies between two machines: a port that only listens, and an HTTP proxy."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

from tandem.doctor import way


@contextmanager
def listening_socket(backlog=5):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(backlog)
        yield taken, f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def proxy(reply):
    """A small HTTP proxy: it takes one request a connection, answers `reply`, and on 200 joins the two ends. Yields (address, requests)."""
    asked = []
    with listening_socket() as (taken, place):
        def serve():
            while True:
                try:
                    link, _ = taken.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(link,), daemon=True).start()

        def talk(link):
            head = b""
            while b"\r\n\r\n" not in head:
                more = link.recv(4096)
                if not more:
                    return
                head += more
            asked.append(head.decode())
            link.sendall(reply)
            if b" 200 " in reply:
                host, port = way.split(head.split()[1].decode())
                with suppress(OSError):  # nobody listens there any more: a proxy hangs up
                    join(link, socket.create_connection((host, port)))
            link.close()

        threading.Thread(target=serve, daemon=True).start()
        yield place, asked
        taken.shutdown(socket.SHUT_RDWR)


def join(one, other):
    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join()
    other.close()
