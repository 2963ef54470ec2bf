"""`make image-pin` with a registry that implements the OCI distribution API, including tokens."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.container import base_images, check, registry
from infra.container.pin import pin
from infra.container.registry import Registry

INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
OLD: Final = f"sha256:{'0' * 64}"


class FakeRegistry(ThreadingHTTPServer):
    """A registry with manifests by repository and tag or digest, and blobs by digest."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RegistryHandler)
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.corrupt = False

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def push(self, repository: str, tag: str, *platforms: str) -> str:
        """Push a tag for these platforms, as an index if there are several, and return its digest."""
        content: dict[str, Any]
        described = [{"os": one.split("/")[0], "architecture": one.split("/")[1]} for one in platforms]
        if len(described) == 1:
            configuration = json.dumps(described[0] | {"rootfs": {}}).encode()
            self.blobs[digest_of(configuration)] = configuration
            kind, content = MANIFEST, {"config": {"digest": digest_of(configuration)}}
        else:
            entries = [{"digest": OLD, "platform": one} for one in described]
            kind, content = INDEX, {"manifests": entries}
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, "tag": tag} | content).encode()
        self.manifests[repository, tag] = self.manifests[repository, digest_of(body)] = (kind, body)
        return digest_of(body)


class RegistryHandler(BaseHTTPRequestHandler):
    server: FakeRegistry

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/token":
            asked = parse_qs(parts.query)
            assert asked["service"] == ["fake"]
            self._answer(200, json.dumps({"token": f"for {asked['scope'][0]}"}).encode())
            return
        _, repository, kind, reference = split(parts.path)
        if self.headers.get("authorization") != f"Bearer for repository:{repository}:pull":
            realm = f"http://{self.server.host}/token"
            challenge = f'Bearer realm="{realm}",service="fake",scope="repository:{repository}:pull"'
            self._answer(401, b"{}", {"www-authenticate": challenge})
        elif kind == "blobs" and reference in self.server.blobs:
            self._answer(200, self.server.blobs[reference])
        elif kind == "manifests" and (repository, reference) in self.server.manifests:
            media, body = self.server.manifests[repository, reference]
            assert media in self.headers["accept"]
            claimed = OLD if self.server.corrupt else digest_of(body)
            self._answer(200, body, {"content-type": media, "docker-content-digest": claimed})
        else:
            self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def split(path: str) -> tuple[str, str, str, str]:
    version, _, rest = path.strip("/").partition("/")
    repository, kind, reference = rest.rsplit("/", 2)
    return version, repository, kind, reference


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def server() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def dockerfile(server: FakeRegistry, tmp_path: Path) -> Path:
    """The real Dockerfile, with its base images in the fake registry."""
    text = check.DOCKERFILE.read_text(encoding="utf-8").replace("public.ecr.aws", server.host)
    path = tmp_path / "Dockerfile"
    path.write_text(base_images.pinned(text, dict.fromkeys(ARGS, OLD)), encoding="utf-8")
    return path


ARGS: Final = ("PYTHON", "LAMBDA_ARM64", "LAMBDA_AMD64")


def push_all(server: FakeRegistry, *, arm64: str = "linux/arm64") -> dict[str, str]:
    return {
        "PYTHON": server.push("docker/library/python", "3.13-slim", "linux/amd64", "unknown/unknown", "linux/arm64"),
        "LAMBDA_ARM64": server.push("lambda/python", "3.13-arm64", arm64),
        "LAMBDA_AMD64": server.push("lambda/python", "3.13-x86_64", "linux/amd64"),
    }


def test_each_image_is_pinned_to_the_digest_of_its_tag(
    server: FakeRegistry, dockerfile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests, before = push_all(server), dockerfile.read_text(encoding="utf-8")
    assert pin(dockerfile, dry_run=True) == 1
    assert dockerfile.read_text(encoding="utf-8") == before
    assert pin(dockerfile) == 0
    assert {image.arg: image.digest for image in base_images.parse(dockerfile.read_text(encoding="utf-8"))} == digests
    assert f"{server.host}/lambda/python:3.13-arm64\n  {digests['LAMBDA_ARM64']}, was {OLD}" in capsys.readouterr().out
    assert pin(dockerfile, dry_run=True) == 0
    after = dockerfile.read_text(encoding="utf-8")
    assert [line for line in after.splitlines() if not line.startswith("ARG ")] == [
        line for line in before.splitlines() if not line.startswith("ARG ")
    ]


def test_an_image_without_a_digest_is_pinned(server: FakeRegistry, dockerfile: Path) -> None:
    digests, text = push_all(server), dockerfile.read_text(encoding="utf-8")
    dockerfile.write_text(text.replace(f"@{OLD}", ""), encoding="utf-8")
    assert {image.digest for image in base_images.parse(dockerfile.read_text(encoding="utf-8"))} == {None}
    assert pin(dockerfile) == 0
    assert dockerfile.read_text(encoding="utf-8") == base_images.pinned(text, digests)


def push_with_corrupt_blobs(server: FakeRegistry) -> None:
    push_all(server)
    server.corrupt = True


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda server: push_all(server, arm64="linux/amd64"), "3.13-arm64 has no image for linux/arm64"),
        (
            lambda server: server.push("docker/library/python", "3.13-slim", "linux/amd64"),
            "has no image for linux/arm64",
        ),
        (lambda server: None, "docker/library/python/manifests/3.13-slim answers 404"),
        (push_with_corrupt_blobs, "does not have the digest that the registry states"),
    ],
    ids=["other processor", "one platform", "no tag", "other bytes"],
)
def test_an_implausible_digest_is_not_written(
    make_wrong: Any, message: str, server: FakeRegistry, dockerfile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wrong(server)
    before = dockerfile.read_text(encoding="utf-8")
    assert pin(dockerfile) == 1
    assert dockerfile.read_text(encoding="utf-8") == before
    said = capsys.readouterr().err
    assert message in said
    assert said.endswith("Dockerfile was not changed\n")


def test_an_unreachable_registry_is_named(dockerfile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = dockerfile.read_text(encoding="utf-8")
    dockerfile.write_text(text.replace("127.0.0.1", "registry.invalid"), encoding="utf-8")
    assert pin(dockerfile) == 1
    assert "https://registry.invalid" in capsys.readouterr().err


def test_a_digest_that_the_registry_has_lost_is_detected(server: FakeRegistry, dockerfile: Path) -> None:
    push_all(server)
    pin(dockerfile)
    [python, *_] = base_images.parse(dockerfile.read_text(encoding="utf-8"))
    with registry.new_client() as client:
        assert Registry(server.host, client).has(python)
        server.manifests.clear()
        assert not Registry(server.host, client).has(python)
