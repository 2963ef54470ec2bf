"""Serve an application on this machine."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

import uvicorn

from infra.local import prompt_requests

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOPBACK: Final = IPv4Address("127.0.0.1")


class PortUnusable(Exception):  # noqa: N818 - told to a person, not a fault
    """The port cannot be served on; the message says why and what to do, in English sentences."""


def bind(port: int, host: IPv4Address = LOOPBACK) -> socket.socket:
    """Return a socket bound to a port; port 0 means any free one.

    Args:
        host: address of the interface to listen on; 0.0.0.0 for all of them.

    Raises:
        PortUnusable: it is in use, needs privileges, or is not a port, or no interface has the address.
    """
    # asyncio sends what it writes at once only where the protocol is named: else an answer on a kept connection, whose
    # head and body are two writes, waits for the acknowledgement of its head, which clients delay by 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(host), port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OverflowError):
            reason = f"{port} is not a port: choose one from 1 to 65535."
        elif error.errno == errno.EACCES:
            reason = f"Port {port} requires system privileges."
        elif error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is in use."
        elif error.errno == errno.EADDRNOTAVAIL:
            raise PortUnusable(f"No interface of this machine has the address {host}.") from error
        else:
            reason = f"Port {port} cannot be used: {error.strerror}."
        raise PortUnusable(f"{reason} Choose another one: PORT=9000, or without make --port 9000") from error
    return listener


@contextmanager
def serving(app: "ASGIApp", port: int | socket.socket) -> Iterator[str]:
    """Serve `app` in a thread, and yield its address on this machine.

    Args:
        port: a port of the loopback interface, or the socket that `bind` returned.

    Raises:
        PortUnusable: see `bind`.
        RuntimeError: the server did not start.
    """
    listener = bind(port) if isinstance(port, int) else port
    config = uvicorn.Config(
        app,
        http=prompt_requests.PromptRequests,
        timeout_keep_alive=prompt_requests.KEPT_SECONDS,
        log_level="warning",
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the API could not be started; see the log")
            time.sleep(0.01)
        yield f"http://localhost:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
