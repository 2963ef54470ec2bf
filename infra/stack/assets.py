"""What goes into each function's image or zip: an allow-list, so that editing one function leaves the others alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_

from infra.stack.settings import ContextError

ROOT: Final = Path(__file__).resolve().parents[2]

DOCKERFILE: Final = "functions/Dockerfile"
SHIPPED: Final = (
    DOCKERFILE,
    "functions/__init__.py",
    "functions/requirements.txt",
    "functions/prune.txt",
    "layers/__init__.py",
    "layers/resnet50",
    "shared",
)
"""What every image is built from, besides the function's own folder."""
NEXT_MODEL: Final = "layers/next_model"
"""Where the export of a second model lies while there is one."""


def check_next_model(model: str) -> None:
    """Raises ContextError where `NEXT_MODEL` does not hold the export of this model."""
    try:
        card = json.loads((ROOT / NEXT_MODEL / "model.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        card = {"id": "nothing"}
    if card["id"] != model:
        raise ContextError(f"next_model names {model}, but {NEXT_MODEL} holds {card['id']}")


def function_image(function: str, architecture: lambda_.Architecture, precision: str) -> lambda_.DockerImageCode:
    """The image of `functions/<function>`; its hash covers `SHIPPED`, that folder and the model's precision."""
    return lambda_.DockerImageCode.from_image_asset(
        str(ROOT),
        file=DOCKERFILE,
        cmd=[f"functions.{function}.handler.handler"],
        build_args={"FUNCTION": function, "PRECISION": precision},
        platform=(
            ecr_assets.Platform.LINUX_ARM64
            if architecture == lambda_.Architecture.ARM_64
            else ecr_assets.Platform.LINUX_AMD64
        ),
        exclude=_all_but((*SHIPPED, NEXT_MODEL, f"functions/{function}")),
    )


def function_code(function: str, shipped: Sequence[str]) -> lambda_.AssetCode:
    """The zip of `functions/<function>`; its hash covers that folder and `shipped`."""
    return lambda_.Code.from_asset(
        str(ROOT),
        ignore_mode=IgnoreMode.DOCKER,
        exclude=_all_but(("functions/__init__.py", f"functions/{function}", *shipped)),
    )


def _all_but(kept: tuple[str, ...]) -> list[str]:
    """Ignore patterns (as .dockerignore has them) for everything but some files and folders."""
    parents = {str(parent) for path in kept for parent in Path(path).parents} - {"."}
    patterns = ["*"]
    for parent in sorted(parents):
        patterns += [f"!{parent}", f"{parent}/*"]
    patterns += [f"!{path}" for path in kept]
    return [*patterns, "**/__pycache__", "**/*.pyc"]
