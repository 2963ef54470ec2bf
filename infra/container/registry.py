"""Read digests from a registry of the OCI distribution specification, without credentials.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
"""

import hashlib
import re
from typing import Any, Final

import httpx

from infra.container.base_images import BaseImage

MANIFESTS: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
TIMEOUT_SECONDS: Final = 30.0


class RegistryError(RuntimeError):
    """The registry cannot be reached, or does not have the image; the message says which."""


class Registry:
    """Anonymous read access to one registry."""

    def __init__(self, host: str, client: httpx.Client) -> None:
        # A registry on this machine speaks HTTP, to Docker as well.
        local = host.partition(":")[0] in {"localhost", "127.0.0.1"}
        self._base = f"{'http' if local else 'https'}://{host}/v2"
        self._client = client
        self._token: str | None = None

    def resolve(self, image: BaseImage) -> str:
        """Return the current digest of the image's tag.

        Raises:
            RegistryError: the tag does not exist, or lacks a platform of the image.
        """
        manifest, digest = self._manifest(image.repository, image.tag)
        missing = image.platforms - self._platforms(image.repository, manifest)
        if missing:
            raise RegistryError(f"{image.name} has no image for {' and '.join(sorted(missing))}")
        return digest

    def has(self, image: BaseImage) -> bool:
        """Return whether the digest to which the image is pinned can still be pulled."""
        return self._get(f"{image.repository}/manifests/{image.digest}").status_code == httpx.codes.OK

    def _manifest(self, repository: str, reference: str) -> tuple[Any, str]:
        answer = self._get(f"{repository}/manifests/{reference}")
        if answer.status_code != httpx.codes.OK:
            raise RegistryError(f"{self._base}/{repository}/manifests/{reference} answers {answer.status_code}")
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if answer.headers.get("docker-content-digest", digest) != digest:
            raise RegistryError(
                f"the content of {repository}:{reference} does not have the digest that the registry states"
            )
        return answer.json(), digest

    def _platforms(self, repository: str, manifest: Any) -> set[str]:
        if "manifests" in manifest:
            platforms = [entry.get("platform", {}) for entry in manifest["manifests"]]
        else:
            answer = self._get(f"{repository}/blobs/{manifest['config']['digest']}")
            if answer.status_code != httpx.codes.OK:
                raise RegistryError(f"the configuration of {repository} answers {answer.status_code}")
            platforms = [answer.json()]
        return {f"{platform.get('os')}/{platform.get('architecture')}" for platform in platforms}

    def _get(self, path: str) -> httpx.Response:
        answer = self._send(path)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = self._new_token(answer.headers.get("www-authenticate", ""))
            answer = self._send(path)
        return answer

    def _send(self, path: str) -> httpx.Response:
        headers = {"accept": MANIFESTS} | ({"authorization": f"Bearer {self._token}"} if self._token else {})
        return self._fetch(f"{self._base}/{path}", headers=headers)

    def _new_token(self, challenge: str) -> str:
        """Fetch a token as the challenge requires: https://distribution.github.io/distribution/spec/auth/token/"""
        parameters = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = parameters.pop("realm", None)
        if not challenge.startswith("Bearer ") or realm is None:
            raise RegistryError(f"{self._base} requires credentials")
        answer = self._fetch(realm, params=parameters)
        if answer.status_code != httpx.codes.OK:
            raise RegistryError(f"{realm} answers {answer.status_code}")
        body = answer.json()
        return str(body.get("token") or body["access_token"])

    def _fetch(self, url: str, **arguments: Any) -> httpx.Response:
        try:
            return self._client.get(url, **arguments)
        except httpx.HTTPError as error:
            raise RegistryError(f"{url} cannot be reached: {error}") from error


def new_client() -> httpx.Client:
    """Return an HTTP client for `Registry`, which follows the redirects of blobs to their storage."""
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=True)
