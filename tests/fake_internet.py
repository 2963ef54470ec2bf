"""A web for tests: names, public addresses, the servers that stand behind them, and what sockets were asked for.

The code under test resolves names and connects as always. What it asks of `socket` ends here: a name is looked up in
`Web.names`, a public address is led to a server on loopback, and every address that a socket is asked to connect to is
written down first.
"""

import datetime
import ipaddress
import socket
import ssl
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC: Final = "93.184.216.34"
PUBLIC_TOO: Final = "151.101.1.69"
PUBLIC_V6: Final = "2606:4700::1111"

Behaviour = Callable[[socket.socket], None]


class Server:
    """Speaks HTTP by the book or not at all: each path has the bytes that are sent, or a function that sends them.

    Attributes:
        heads: the head of every request, as it came.
        protocols: the protocol that TLS confirm on, for every connection; None where there was none.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, bytes | Behaviour] = {}
        self.heads: list[str] = []
        self.protocols: list[str | None] = []
        self.closing = threading.Event()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait(self, _: socket.socket) -> None:
        """The behaviour of a server that says nothing."""
        self.closing.wait(30)

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        with suppress(OSError):
            if self._context:
                secure = self._context.wrap_socket(connection, server_side=True)
                self.protocols.append(secure.selected_alpn_protocol())
                connection = secure
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
            self.heads.append(head.decode("latin-1"))
            page = self.pages.get(self.heads[-1].split(" ")[1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if isinstance(page, bytes):
                connection.sendall(page)
            else:
                page(connection)
        with suppress(OSError):
            connection.close()


class Web:
    """The internet as the code under test sees it.

    Attributes:
        names: the addresses of each name; a function is asked anew every time.
        servers: what listens at a public address and port.
        asked: every address that a socket was asked to connect to.
    """

    def __init__(self) -> None:
        self.names: dict[str, Sequence[str] | Callable[[], Sequence[str]]] = {}
        self.servers: dict[tuple[str, int], Server] = {}
        self.lookups: list[str] = []
        self.asked: list[tuple[str, int]] = []

    def serve(self, *addresses: str, port: int = 80, context: ssl.SSLContext | None = None) -> Server:
        server = Server(context)
        for address in addresses:
            self.servers[address, port] = server
        return server

    def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        self.lookups.append(host)
        if host not in self.names:
            # A literal in any spelling that the system takes; no name is asked for outside.
            return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **options)
        found = self.names[host]
        addresses = found() if callable(found) else found
        return [entry for address in addresses for entry in socket.getaddrinfo(address, port, **options)]

    def socket(self, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        web = self

        class Led(socket.socket):
            def connect(self, address: Any) -> None:
                web.asked.append(address[:2])
                server = web.servers.get(address[:2])
                if server is None:
                    raise ConnectionRefusedError
                super().connect(("127.0.0.1", server.port))

        return Led(socket.AF_INET, kind)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stand_in = types.SimpleNamespace(**vars(socket))
        stand_in.getaddrinfo, stand_in.socket = self.getaddrinfo, self.socket
        monkeypatch.setattr("shared.net.connecting.socket", stand_in)

    def close(self) -> None:
        for server in self.servers.values():
            server.close()


class _Witness:
    """Sees every connection that Python makes, by whatever call."""

    def __init__(self) -> None:
        self.seen: list[Any] | None = None
        self.others: set[int | None] = set()
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.seen is not None and threading.get_ident() not in self.others:
            self.seen.append(arguments[1])


_witness = _Witness()


@contextmanager
def witnessed() -> Iterator[list[Any]]:
    """The addresses that this process connects to meanwhile, but for threads that ran before."""
    _witness.others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    seen: list[Any] = []
    _witness.seen = seen
    try:
        yield seen
    finally:
        _witness.seen = None


class Authority:
    """A certificate authority with the certificates that it gives, and those that it should not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PicTrace tests")])
        self.path = folder / "authority.pem"
        authority = self._certificate(self._key, self._name, [], days=1, authority=True)
        self.path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))

    def context(self, *names: str, days: int = 1, trusted: bool = True) -> ssl.SSLContext:
        """The settings of a server that shows a certificate for these names; negative `days` are over."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._certificate(key, subject, names, days=days, self_signed=not trusted)
        path = self._folder / f"{key.private_numbers().private_value:x}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def _certificate(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: x509.Name,
        names: Sequence[str],
        *,
        days: int,
        authority: bool = False,
        self_signed: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=30))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            built = built.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        return built.sign(key if self_signed else self._key, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
