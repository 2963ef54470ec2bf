"""The base images of a Dockerfile, each named in an ARG before its first stage."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ARG: Final = re.compile(r"^ARG (?P<name>\w+)=(?P<image>[^\s@]+)(?:@(?P<digest>sha256:[0-9a-f]{64}))?$", re.MULTILINE)
PLATFORMS: Final = {"arm64": "linux/arm64", "amd64": "linux/amd64"}


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One base image.

    Attributes:
        arg: the Dockerfile's name for it.
        registry: host, with the port if it has one.
        repository: path in the registry.
        tag: the tag from which the digest was resolved.
        digest: `sha256:` and 64 hexadecimal digits, or None if the image is not pinned.
    """

    arg: str
    registry: str
    repository: str
    tag: str
    digest: str | None

    @property
    def name(self) -> str:
        """The reference without the digest."""
        return f"{self.registry}/{self.repository}:{self.tag}"

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms that it must support: the one at the end of its ARG, else every platform of a build machine."""
        one = PLATFORMS.get(self.arg.rpartition("_")[2].lower())
        return frozenset({one} if one else PLATFORMS.values())


def parse(dockerfile: str) -> list[BaseImage]:
    """Return the base images in the order of their ARGs.

    Raises:
        ValueError: an image has no registry or no tag, or a stage names an image directly, so that it is not pinned.
    """
    head, _, _ = dockerfile.partition("\nFROM ")
    found = [_parse(match) for match in ARG.finditer(head)]
    stages = re.findall(r"^FROM .* AS (\S+)$", dockerfile, re.MULTILINE)
    for source in re.findall(r"^FROM (?:--\S+ )?(\S+)", dockerfile, re.MULTILINE):
        names = [f"${{{image.arg}}}" for image in found]
        pattern = re.sub(r"\\\$\\\{\w+\\\}", r"\\w+", re.escape(source))
        if source not in names and not any(re.fullmatch(pattern, stage) for stage in stages):
            raise ValueError(f"FROM {source} is not one of {', '.join(names)}")
    return found


def pinned(dockerfile: str, digests: Mapping[str, str]) -> str:
    """Return the Dockerfile with these digests, given by ARG."""

    def replace(match: re.Match[str]) -> str:
        digest = digests.get(match["name"], match["digest"])
        return f"ARG {match['name']}={match['image']}" + (f"@{digest}" if digest else "")

    head, stage, rest = dockerfile.partition("\nFROM ")
    return ARG.sub(replace, head) + stage + rest


def _parse(match: re.Match[str]) -> BaseImage:
    registry, _, path = match["image"].partition("/")
    repository, _, tag = path.partition(":")
    if not path or ("." not in registry and ":" not in registry):
        raise ValueError(f"{match['image']} names no registry")
    if not tag:
        raise ValueError(f"{match['image']} has no tag")
    return BaseImage(match["name"], registry, repository, tag, match["digest"])
