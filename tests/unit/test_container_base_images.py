"""Every base image of the functions is pinned by digest."""

from typing import Final

import pytest

from infra.container import base_images
from infra.container.check import DOCKERFILE

TEXT: Final = DOCKERFILE.read_text(encoding="utf-8")


def test_each_base_image_is_pinned_by_digest() -> None:
    images = {image.arg: image for image in base_images.parse(TEXT)}
    assert {arg: image.name for arg, image in images.items()} == {
        "PYTHON": "public.ecr.aws/docker/library/python:3.13-slim",
        "LAMBDA_ARM64": "public.ecr.aws/lambda/python:3.13-arm64",
        "LAMBDA_AMD64": "public.ecr.aws/lambda/python:3.13-x86_64",
    }
    assert all(image.digest for image in images.values())
    assert {arg: image.platforms for arg, image in images.items()} == {
        "PYTHON": {"linux/amd64", "linux/arm64"},
        "LAMBDA_ARM64": {"linux/arm64"},
        "LAMBDA_AMD64": {"linux/amd64"},
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "${LAMBDA_ARM64}",
            "public.ecr.aws/lambda/python:3.13",
            "FROM public.ecr.aws/lambda/python:3.13 is not one of",
        ),
        ("FROM lambda-${TARGETARCH}", "FROM base-${TARGETARCH}", "FROM base-"),
        ("=public.ecr.aws/lambda/python:3.13-arm64", "=python:3.13", "names no registry"),
        ("python:3.13-arm64@", "python@", "has no tag"),
    ],
)
def test_a_base_image_that_is_not_pinned_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=message.replace("$", "\\$")):
        base_images.parse(TEXT.replace(old, new))
