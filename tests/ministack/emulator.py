"""A ministack process on the loopback interface, with TLS and access checks."""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
ROOT: Final = "root"
SERVICES: Final = "apigateway cloudformation dynamodb events iam lambda logs monitoring s3 sns sqs ssm sts".replace(
    " ", ","
)


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator.

    Attributes:
        folder: the folder of its log.
    """

    endpoint: str
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "ministack.log").read_text(errors="replace")


@contextmanager
def emulator(python: Path, folder: Path) -> Iterator[Emulator]:
    """Run ministack in a context; meanwhile this process has the AWS settings of the emulator's root user.

    `AUTH` makes it check signatures and evaluate the policies of roles, queues and buckets, which it otherwise only
    stores; those policies require TLS. The functions' processes inherit its environment.

    Args:
        python: the interpreter of ministack's virtual environment.
        folder: an empty folder for certificates, the log and the functions' code.
    """
    identities = ["-i", "localhost", "127.0.0.1"]
    subprocess.run([python, "-m", "trustme", "--quiet", "-d", folder, *identities], check=True)
    certificate, key, authority = (str(folder / name) for name in ("server.pem", "server.key", "client.pem"))
    port = _free_port()
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": ROOT,
        "AWS_CA_BUNDLE": authority,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
        "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(24),
        "SSL_CERT_FILE": authority,
    }
    environment = os.environ | {
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "MINISTACK_SSL_CERT": certificate,
        "MINISTACK_SSL_KEY": key,
        "SERVICES": SERVICES,
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder),
        "USE_SSL": "1",
    }
    # ministack's own command would also listen on port 443 if permitted.
    command = [str(python), "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"]
    command += ["--certfile", certificate, "--keyfile", key, "--graceful-timeout", "0", "--workers", "0"]
    running = Emulator(f"https://127.0.0.1:{port}", folder)
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(running, process)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.environ.clear()
        os.environ.update(before)


def _wait(running: Emulator, process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{running.endpoint}/_ministack/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"ministack did not start:\n{running.log[-3000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
