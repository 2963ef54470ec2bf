"""Checks that `make run` makes, with whatever Python the machine has, before it installs anything.

This file uses the standard library only, and syntax that an old Python 3 can parse, so that it can report that the
interpreter is too old.
"""

import errno
import os
import socket
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def stop(message: str) -> None:
    sys.stderr.write("pictrace: " + message + "\n")
    sys.exit(1)


def main() -> None:
    version = tuple(sys.version_info[:2])
    if not OLDEST <= version <= NEWEST:
        stop("Python %d.%d is not supported; use 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..." % version)
    port = os.environ.get("PORT", "")
    if port:
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            stop("PORT must be a number from 1 to 65535, not %r." % port)
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            if error.errno == errno.EACCES:
                stop("port %s requires system privileges. Choose another one: PORT=8000" % port)
            stop("port %s is in use. Choose another one: PORT=%d" % (port, int(port) % 65535 + 1))
        finally:
            probe.close()
    images = os.environ.get("PICTURES", "")
    if images and not os.path.isdir(os.path.expanduser(images)):
        stop("the folder %r does not exist. Choose another one: PICTURES=path/to/images" % images)


if __name__ == "__main__":
    main()
