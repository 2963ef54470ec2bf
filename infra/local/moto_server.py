"""The moto server of the local stack and of the tests."""

from functools import lru_cache
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer

HOSTS: Final = 1024
"""Maximum number of host names of which the service is remembered."""


def start_moto_server() -> ThreadedMotoServer:
    """Start a moto server on a free port of this machine.

    moto 5.2.5 looks for the service of each request under a lock, in a new list of its folders: 300 system calls, each
    of which hands over the interpreter's lock. While another thread computes, a request waits for most of them. The
    service of a host never changes, so it is remembered.
    """
    DomainDispatcherApplication.get_backend_for_host = _remembered
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return server


_look_up = DomainDispatcherApplication.get_backend_for_host


@lru_cache(HOSTS)
def _remembered(dispatcher: DomainDispatcherApplication, host: str | None) -> Any:
    return _look_up(dispatcher, host)
