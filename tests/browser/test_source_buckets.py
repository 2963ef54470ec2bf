"""Originals in source buckets, at S3's real host names, in a real browser."""

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
from functions.api.bootstrap import deployed_services
from functions.ingest.bootstrap import dispatcher
from infra.local.serving import serving
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.domain.images import ObjectRef
from shared.settings import ApiSettings
from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE_MS, needs_chromium
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import invoke_ingest

pytestmark = needs_chromium

SOURCE_BUCKET: Final = "images-of-others"
REGIONAL: Final = f"{SOURCE_BUCKET}.s3.eu-west-1.amazonaws.com"
GLOBAL: Final = f"{SOURCE_BUCKET}.s3.amazonaws.com"


class S3Front(BaseHTTPRequestHandler):
    """A server that answers as a bucket's own S3 host does, with objects of the emulator."""

    hosts: Final[list[str]] = []

    def do_GET(self) -> None:
        host, key = self.headers["Host"].split(":")[0], unquote(urlsplit(self.path).path[1:])
        self.hosts.append(host)
        found = boto3.client("s3").get_object(Bucket=host.split(".s3.")[0], Key=key)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(found["Body"].read())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def certificate(folder: Path) -> Path:
    """A self-signed certificate and its key in one file."""
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
def s3_browser(s3_port: int) -> Iterator[Browser]:
    """A browser that resolves the bucket's hosts to this machine."""
    rules = ", ".join(f"MAP {host} 127.0.0.1:{s3_port}" for host in (REGIONAL, GLOBAL))
    flags = [*FLAGS, f"--host-resolver-rules={rules}", "--ignore-certificate-errors"]
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        running.close()


@pytest.fixture(scope="module")
def original(running: PicTrace) -> str:
    """The collection of an image whose original is in the source bucket."""
    boto3.client("s3").create_bucket(Bucket=SOURCE_BUCKET)
    key = "2026/a vase.png"
    boto3.client("s3").put_object(Bucket=SOURCE_BUCKET, Key=key, Body=noise(61_000))
    collection = f"c{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dispatcher(), "_source_buckets", frozenset({SOURCE_BUCKET}))
        assert (
            invoke_ingest({"bucket": SOURCE_BUCKET, "key": key, "collection": collection})["collection"] == collection
        )
    return collection


class RealLinkObjects(S3Objects):
    """The emulator's objects, but with S3's real links to the source bucket."""

    def __init__(self, emulated: S3Objects, real: S3Objects) -> None:
        super().__init__(emulated._client, emulated._bucket)
        self._real = real

    def link(self, source: ObjectRef, media_type: str, download_as: str | None = None) -> str:
        if source.bucket == SOURCE_BUCKET:
            return self._real.link(source, media_type, download_as)
        return super().link(source, media_type, download_as)


def objects_in_region(region: str) -> S3Objects:
    """The objects as the API function has them in an AWS region."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("AWS_ENDPOINT_URL")
        patched.setenv("AWS_DEFAULT_REGION", region)
        patched.setattr(boto3, "DEFAULT_SESSION", None)
        return S3Objects(s3_client(), "own")


def view_original(browser: Browser, region: str, collection: str, *, named: bool) -> tuple[int, list[str]]:
    """Open the viewer, and return the width of the shown original and the browser's error messages."""
    S3Front.hosts.clear()
    real = objects_in_region(region)
    services = deployed_services(replace(ApiSettings.from_environ(os.environ), source_buckets=()))
    assert isinstance(services.objects, S3Objects)
    services.objects = services.library._objects = RealLinkObjects(services.objects, real)
    services.source_addresses = list(real.addresses(SOURCE_BUCKET)) if named else []
    complaints: list[str] = []
    with serving(create_app(services), 0) as url:
        page: Page = browser.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{url}/?collection={collection}")
        page.locator("#images li button").first.click()
        picture = page.locator("#viewer figure img")
        expect(picture.and_(page.locator("[src]"))).to_be_visible() if named else page.wait_for_timeout(500)
        page.wait_for_load_state("networkidle")
        width = int(picture.evaluate("(img) => img.decode().then(() => img.naturalWidth, () => 0)"))
        if "/thumbnails/" in str(picture.get_attribute("src")):
            width = 0  # the viewer shows the thumbnail in place of an original that it cannot load
        page.close()
    return width, complaints


@pytest.mark.parametrize(("region", "host"), [("eu-west-1", REGIONAL), ("us-east-1", GLOBAL)])
def test_the_page_shows_originals_of_configured_buckets(
    s3_browser: Browser, original: str, region: str, host: str
) -> None:
    width, complaints = view_original(s3_browser, region, original, named=True)
    assert width > 0
    assert complaints == []
    assert set(S3Front.hosts) == {host}


def test_the_page_sends_no_request_to_other_buckets(s3_browser: Browser, original: str) -> None:
    width, complaints = view_original(s3_browser, "eu-west-1", original, named=False)
    assert width == 0
    assert any("Content Security Policy" in complaint for complaint in complaints)
    assert S3Front.hosts == []
