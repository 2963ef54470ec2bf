"""The contents of each function's image or zip: an allow-list, so that changing one function leaves others alone."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aws_cdk import aws_lambda as lambda_

from infra.stack.settings import ContextError

ROOT: Final = Path(__file__).resolve().parents[2]

DOCKERFILE: Final = "functions/Dockerfile"
SHIPPED: Final = (
    DOCKERFILE,
    "functions/__init__.py",
    "functions/requirements.lock",
    "functions/prune.txt",
    "layers/__init__.py",
    "layers/faces",
    "layers/models",
    "layers/wheels.py",
    "shared/__init__.py",
    "shared/aws",
    "shared/domain",
    "shared/search",
    "shared/settings.py",
    "shared/version.py",
    "shared/vision",
)
"""Files and folders in every image, besides the function's own folder. `shared/embedded` is for the local run and
`shared/net` for the fetch function."""
NEXT_MODEL: Final = "layers/next_model"
"""Folder of the export of a second model, while there is one."""


def check_next_model(model: str) -> None:
    """Check that `NEXT_MODEL` holds the export of this model.

    Raises:
        ContextError: it does not.
    """
    try:
        card = json.loads((ROOT / NEXT_MODEL / "model.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        card = {"id": "nothing"}
    if card["id"] != model:
        raise ContextError(f"next_model names {model}, but {NEXT_MODEL} holds {card['id']}")


def function_image(function: str, model: str, precision: str, face_model: str | None) -> lambda_.DockerImageCode:
    """Return the image of `functions/<function>`, for the architecture of its Lambda function.

    Its hash covers `SHIPPED`, that folder, the models, the precision and the platform, which the CDK takes from the
    function. The Dockerfile makes the files readable to Lambda's user.
    """
    return lambda_.DockerImageCode.from_image_asset(
        str(ROOT),
        file=DOCKERFILE,
        cmd=[f"functions.{function}.handler.handler"],
        build_args={
            "FUNCTION": function,
            "MODEL": model,
            "PRECISION": precision,
            "FACE_MODEL": face_model or "",
        },
        exclude=_all_but((*SHIPPED, NEXT_MODEL, f"functions/{function}")),
    )


@contextmanager
def function_code(function: str, shipped: Sequence[str]) -> Iterator[lambda_.AssetCode]:
    """Provide the zip of `functions/<function>` while the function is made; its hash covers that folder and `shipped`.

    The CDK command line zips files with the modes that they have, and its hash does not cover modes. So it gets a copy
    that every user can read, as Lambda's must: https://repost.aws/knowledge-center/lambda-deployment-package-errors
    """
    with tempfile.TemporaryDirectory(prefix="pictrace-code-") as folder:
        for path in ("functions/__init__.py", f"functions/{function}", *shipped):
            _copy_readable(ROOT / path, Path(folder) / path)
        yield lambda_.Code.from_asset(folder)


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a file, or the files of a folder but for bytecode, with the mode 644; the zip holds no folders."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.name != "__pycache__" and path.suffix != ".pyc":
                _copy_readable(path, target / path.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target).chmod(0o644)


def _all_but(kept: tuple[str, ...]) -> list[str]:
    """Return ignore patterns, as in .dockerignore, for everything except some files and folders."""
    parents = {str(parent) for path in kept for parent in Path(path).parents} - {"."}
    patterns = ["*"]
    for parent in sorted(parents):
        patterns += [f"!{parent}", f"{parent}/*"]
    patterns += [f"!{path}" for path in kept]
    return [*patterns, "**/__pycache__", "**/*.pyc"]
