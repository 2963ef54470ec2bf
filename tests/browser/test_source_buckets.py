"""Originals that lie in other buckets, at the addresses that S3 gives them, in a real browser."""

import datetime
import os
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, Page, expect, sync_playwright

from functions.api.app import create_app
from functions.api.services import Services
from functions.ingest.bootstrap import dispatcher
from infra.local.__main__ import serving
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.domain.images import ObjectRef
from shared.settings import ApiSettings
from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE_MS, needs_chromium
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import invoked

pytestmark = needs_chromium

OTHERS: Final = f"others-{uuid.uuid4().hex[:8]}"
REGIONAL: Final = f"{OTHERS}.s3.eu-west-1.amazonaws.com"
GLOBAL: Final = f"{OTHERS}.s3.amazonaws.com"


class S3Front(BaseHTTPRequestHandler):
    """Answers as S3 does at a bucket's own host, from the emulator's bucket."""

    asked: Final[list[str]] = []

    def do_GET(self) -> None:
        host, key = self.headers["Host"].split(":")[0], unquote(urlsplit(self.path).path[1:])
        self.asked.append(host)
        found = boto3.client("s3").get_object(Bucket=host.split(".s3.")[0], Key=key)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(found["Body"].read())

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output as it is."""


def certificate(folder: Path) -> Path:
    """A certificate for anybody, with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "s3")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "s3.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), S3Front)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path_factory.mktemp("s3")))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def away(s3_port: int) -> Iterator[Browser]:
    """A browser for which the buckets' hosts are on this machine."""
    rules = ", ".join(f"MAP {host} 127.0.0.1:{s3_port}" for host in (REGIONAL, GLOBAL))
    flags = [*FLAGS, f"--host-resolver-rules={rules}", "--ignore-certificate-errors"]
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        running.close()


@pytest.fixture(scope="module")
def original(running: PicTrace) -> str:
    """The collection of an image that lies in a bucket of others."""
    boto3.client("s3").create_bucket(Bucket=OTHERS)
    key = "2026/a vase.png"
    boto3.client("s3").put_object(Bucket=OTHERS, Key=key, Body=noise(61_000))
    collection = f"c{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dispatcher(), "_source_buckets", frozenset({OTHERS}))
        assert invoked({"bucket": OTHERS, "key": key, "collection": collection})["collection"] == collection
    return collection


class Linking(S3Objects):
    """The emulator's objects, whose links to the bucket of others are S3's own."""

    def __init__(self, emulated: S3Objects, real: S3Objects) -> None:
        super().__init__(emulated._client, emulated._bucket)
        self._real = real

    def link(self, source: ObjectRef, media_type: str) -> str:
        return self._real.link(source, media_type) if source.bucket == OTHERS else super().link(source, media_type)


def in_aws(region: str) -> S3Objects:
    """As the api function has them in a region."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("AWS_ENDPOINT_URL")
        patched.setenv("AWS_DEFAULT_REGION", region)
        patched.setattr(boto3, "DEFAULT_SESSION", None)
        return S3Objects(s3_client(), "own")


def shown(browser: Browser, region: str, collection: str, *, named: bool) -> tuple[int, list[str]]:
    """The width at which the viewer shows the original, and what the browser complained about."""
    S3Front.asked.clear()
    real = in_aws(region)
    services = Services(replace(ApiSettings.from_environ(os.environ), source_buckets=()))
    services.objects = services.library._objects = Linking(services.objects, real)
    services.source_addresses = list(real.addresses(OTHERS)) if named else []
    complaints: list[str] = []
    with serving(create_app(services), 0) as url:
        page: Page = browser.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{url}/?collection={collection}")
        page.locator("#pictures li button").first.click()
        picture = page.locator("#viewer figure img")
        expect(picture.and_(page.locator("[src]"))).to_be_visible() if named else page.wait_for_timeout(500)
        page.wait_for_load_state("networkidle")
        width = int(picture.evaluate("(img) => img.decode().then(() => img.naturalWidth, () => 0)"))
        page.close()
    return width, complaints


@pytest.mark.parametrize(("region", "host"), [("eu-west-1", REGIONAL), ("us-east-1", GLOBAL)])
def test_the_page_shows_originals_of_buckets_that_are_named(
    away: Browser, original: str, region: str, host: str
) -> None:
    width, complaints = shown(away, region, original, named=True)
    assert width > 0
    assert complaints == []
    assert set(S3Front.asked) == {host}


def test_the_page_asks_no_other_bucket(away: Browser, original: str) -> None:
    width, complaints = shown(away, "eu-west-1", original, named=False)
    assert width == 0
    assert any("Content Security Policy" in complaint for complaint in complaints)
    assert S3Front.asked == []
