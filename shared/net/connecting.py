"""Connections to public addresses only, all within one deadline.

The socket connects to the very address that was checked, so a name that resolves differently the second time (DNS
rebinding) cannot lead inside.
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
"""Maximum time to connect to one of a host's addresses."""
IDLE_SECONDS: Final = 5.0
"""Maximum time without a byte from the server."""

HostAddress = tuple[socket.AddressFamily, Any]
"""An address family and a socket address of that family, whose first entry is the IP address as text."""


class Deadline:
    """The time by which name resolution, connection, TLS, headers, body and redirects must all be done."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self, at_most: float) -> float:
        """Return the seconds that a step may take, `at_most` or fewer.

        Raises:
            TimeoutError: the deadline has passed.
        """
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return min(remaining, at_most)


class PublicNetwork(httpcore.NetworkBackend):
    """Connects to hosts all of whose addresses are public; ignores the proxies of the environment."""

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
        """Connect to the first of the host's addresses that accepts a connection.

        Raises:
            FetchRefused: `not_public`, the host has no address, or an address that is not public.
            TimeoutError: the deadline has passed.
            OSError: none of the addresses accepts a connection.
        """
        addresses = resolve(host, port, self._deadline)
        # The same refusal for both, so that nobody learns which names a private network has.
        if not addresses or not all(is_public(str(address[0])) for _, address in addresses):
            raise FetchRefused("not_public", "The host has no address on the public internet.")
        failure: OSError = OSError()
        for family, address in addresses:
            try:
                return DeadlineStream(self._connect(family, address), self._deadline)
            except OSError as error:
                failure = error
        raise failure

    def _connect(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._deadline.remaining(CONNECT_SECONDS))
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


def resolve(host: str, port: int, deadline: Deadline) -> list[HostAddress]:
    """Look up a host once and return all its addresses, or an empty list if the name does not exist.

    The system's resolver has no timeout, so it runs in a thread that is abandoned if it takes too long.

    Raises:
        TimeoutError: the resolver did not answer in time.
    """
    results: queue.SimpleQueue[list[HostAddress]] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        results.put([(entry[0], entry[4]) for entry in found])

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    try:
        return results.get(timeout=deadline.remaining(IDLE_SECONDS))
    except queue.Empty:
        raise TimeoutError from None


class DeadlineStream(httpcore.NetworkStream):
    """A connection on which every operation ends by the deadline, even if the server sends byte by byte."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(self._deadline.remaining(IDLE_SECONDS))
        return self._connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.settimeout(self._deadline.remaining(IDLE_SECONDS))
        self._connection.sendall(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._connection.settimeout(self._deadline.remaining(IDLE_SECONDS))
        return DeadlineStream(
            ssl_context.wrap_socket(self._connection, server_hostname=server_hostname), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return None
