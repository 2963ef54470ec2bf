"""The base images that `functions/Dockerfile` names, each in an ARG before its first stage."""

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
        registry: host, and port where there is one.
        repository: path in the registry.
        tag: that the digest was resolved from.
        digest: `sha256:` and 64 digits, or None where it is not pinned.
    """

    arg: str
    registry: str
    repository: str
    tag: str
    digest: str | None

    @property
    def name(self) -> str:
        """What to pull without the digest."""
        return f"{self.registry}/{self.repository}:{self.tag}"

    @property
    def platforms(self) -> frozenset[str]:
        """Those that it must be there for: the one that its ARG ends with, else all that anybody builds on."""
        one = PLATFORMS.get(self.arg.rpartition("_")[2].lower())
        return frozenset({one} if one else PLATFORMS.values())


def parse(dockerfile: str) -> list[BaseImage]:
    """The base images in the order of their ARGs.

    Raises:
        ValueError: an image has no registry or no tag, or a stage names an image itself, so that nothing pins it.
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
    """The Dockerfile with these digests, by ARG."""

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
