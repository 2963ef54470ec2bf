"""A fake internet for tests: names, public addresses, and the servers behind them.

The code under test resolves names and connects as usual, but its calls to `socket` end here: names are looked up in
`FakeInternet.names`, connections to public addresses are redirected to servers on loopback, and every address that a
socket is asked to connect to is recorded.
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
    """A server that answers each path with fixed bytes, valid HTTP or not, or calls a function that sends them.

    Attributes:
        pages: the bytes or the function for each path.
        heads: the request line and headers of every request, as they arrived.
        protocols: the protocol that TLS negotiated for every connection; None if it negotiated none.
        closing: set when the server shuts down.
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

    def stay_silent(self, _: socket.socket) -> None:
        """Send nothing: the behaviour of a server that never answers."""
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


class FakeInternet:
    """The internet as the code under test sees it.

    Attributes:
        names: the addresses of each name, or a function that is called for each lookup.
        servers: the servers that listen at public addresses and ports.
        lookups: every name that was looked up.
        connections: every address that a socket was asked to connect to.
    """

    def __init__(self) -> None:
        self.names: dict[str, Sequence[str] | Callable[[], Sequence[str]]] = {}
        self.servers: dict[tuple[str, int], Server] = {}
        self.lookups: list[str] = []
        self.connections: list[tuple[str, int]] = []

    def serve(self, *addresses: str, port: int = 80, context: ssl.SSLContext | None = None) -> Server:
        server = Server(context)
        for address in addresses:
            self.servers[address, port] = server
        return server

    def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        self.lookups.append(host)
        if host not in self.names:
            # An IP address in any notation that the system accepts; no real name is ever looked up.
            return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **options)
        found = self.names[host]
        addresses = found() if callable(found) else found
        return [entry for address in addresses for entry in socket.getaddrinfo(address, port, **options)]

    def socket(self, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        internet = self

        class RedirectedSocket(socket.socket):
            def connect(self, address: Any) -> None:
                internet.connections.append(address[:2])
                server = internet.servers.get(address[:2])
                if server is None:
                    raise ConnectionRefusedError
                super().connect(("127.0.0.1", server.port))

        return RedirectedSocket(socket.AF_INET, kind)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stand_in = types.SimpleNamespace(**vars(socket))
        stand_in.getaddrinfo, stand_in.socket = self.getaddrinfo, self.socket
        monkeypatch.setattr("shared.net.connecting.socket", stand_in)

    def close(self) -> None:
        for server in self.servers.values():
            server.close()


class _ConnectionRecorder:
    """Records every connection that Python makes, through any call."""

    def __init__(self) -> None:
        self.seen: list[Any] | None = None
        self.ignored_threads: set[int | None] = set()
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.seen is not None and threading.get_ident() not in self.ignored_threads:
            self.seen.append(arguments[1])


_recorder = _ConnectionRecorder()


@contextmanager
def record_connections() -> Iterator[list[Any]]:
    """Record the addresses that this process connects to, except from threads that are already running."""
    _recorder.ignored_threads = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    seen: list[Any] = []
    _recorder.seen = seen
    try:
        yield seen
    finally:
        _recorder.seen = None


class CertificateAuthority:
    """A certificate authority that issues valid and invalid certificates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PicTrace tests")])
        self.path = folder / "authority.pem"
        authority = self._certificate(self._key, self._name, [], days=1, authority=True)
        self.path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))

    def context(self, *names: str, days: int = 1, trusted: bool = True) -> ssl.SSLContext:
        """Return the TLS settings of a server with a certificate for these names; negative `days` make it expired."""
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
