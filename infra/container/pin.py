"""Pin the base images to the current digests of their tags: `make image-pin`."""

import sys
from pathlib import Path

from infra.container import registry
from infra.container.base_images import BaseImage, parse, pinned
from infra.container.registry import Registry, RegistryError


def pin(dockerfile: Path, *, dry_run: bool = False) -> int:
    """Resolve every base image and write its digest into the Dockerfile.

    Args:
        dry_run: write nothing.

    Returns:
        0, or 1 if a tag could not be resolved, in which case nothing is written. With `dry_run`, also 1 if a digest is
        outdated.
    """
    text = dockerfile.read_text(encoding="utf-8")
    images = parse(text)
    try:
        digests = _resolve_digests(images)
    except RegistryError as error:
        print(f"pictrace: {error}; {dockerfile.name} was not changed", file=sys.stderr)
        return 1
    for image in images:
        digest = digests[image.arg]
        print(f"{image.name}\n  {digest}" + ("" if digest == image.digest else f", was {image.digest or 'not pinned'}"))
    changed = pinned(text, digests)
    if dry_run:
        return int(changed != text)
    dockerfile.write_text(changed, encoding="utf-8")
    return 0


def _resolve_digests(images: list[BaseImage]) -> dict[str, str]:
    with registry.new_client() as client:
        registries = {image.registry: Registry(image.registry, client) for image in images}
        return {image.arg: registries[image.registry].resolve(image) for image in images}
