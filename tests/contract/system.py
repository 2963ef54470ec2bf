"""The emulated stack in a process that can resolve no other host: `python -m tests.contract.system`."""

import socket
import sys
from typing import Any

from infra.local.emulated import main

_HERE = {"localhost", "127.0.0.1", "::1", None}
_getaddrinfo = socket.getaddrinfo


def offline(host: Any, *arguments: Any, **options: Any) -> Any:
    """Refuse to resolve other hosts: generated URLs sometimes name real ones, which tests must not contact."""
    name = host.decode("latin-1") if isinstance(host, bytes) else host
    if name not in _HERE:
        raise socket.gaierror(socket.EAI_NONAME, "the tests have no network")
    return _getaddrinfo(host, *arguments, **options)


if __name__ == "__main__":
    socket.getaddrinfo = offline
    sys.exit(main())
