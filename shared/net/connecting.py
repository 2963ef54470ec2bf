"""Connections to public addresses only, all within one deadline.

The address that is checked is the one that is connected to, so a name that resolves anew cannot lead inside.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from shared.domain.errors import FetchRefused
from shared.net.addresses import is_public

CONNECT_SECONDS: Final = 3.0
"""Longest wait for one of a host's addresses."""
IDLE_SECONDS: Final = 5.0
"""Longest silence of a server."""

Answer = tuple[socket.AddressFamily, Any]
"""An address family with a socket address of it, whose first entry is the address as text."""


class Deadline:
    """One point in time for name, connection, TLS, headers, body and redirects together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, at_most: float) -> float:
        """Seconds that a step may take.

        Raises:
            TimeoutError: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, at_most)


class PublicNetwork(httpcore.NetworkBackend):
    """Connects to hosts whose every address is public; the environment's proxies play no part."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises FetchRefused (`not_public`), TimeoutError, or OSError where no address takes the connection."""
        answers = resolve(host, port, self._deadline)
        # One answer for both, so that nobody learns which names a private network has.
        if not answers or not all(is_public(str(address[0])) for _, address in answers):
            raise FetchRefused("not_public", "The host has no address on the public internet.")
        failure: OSError = OSError()
        for family, address in answers:
            try:
                return Stream(self._connected(family, address), self._deadline)
            except OSError as error:
                failure = error
        raise failure

    def _connected(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._deadline.left(CONNECT_SECONDS))
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


def resolve(host: str, port: int, deadline: Deadline) -> list[Answer]:
    """Every address of a host, asked for once; none where there is no such name.

    The system's resolver takes no time limit, so it is asked from a thread that may be left behind.

    Raises:
        TimeoutError: no answer before the deadline.
    """
    answers: queue.SimpleQueue[list[Answer]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put([(entry[0], entry[4]) for entry in found])

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        return answers.get(timeout=deadline.left(IDLE_SECONDS))
    except queue.Empty:
        raise TimeoutError from None


class Stream(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline: a server that sends byte by byte gains nothing."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(self._deadline.left(IDLE_SECONDS))
        return self._connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.settimeout(self._deadline.left(IDLE_SECONDS))
        self._connection.sendall(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._connection.settimeout(self._deadline.left(IDLE_SECONDS))
        return Stream(ssl_context.wrap_socket(self._connection, server_hostname=server_hostname), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return None
