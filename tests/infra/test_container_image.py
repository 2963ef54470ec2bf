"""The functions' container image, as far as it can be tested without building it."""

import importlib.util
import json
import re
import shutil
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import app
from infra.stack import assets
from infra.stack.settings import ContextError
from layers import wheels
from layers.models.conversion import Precision
from layers.models.networks import NETWORKS
from shared.settings import ApiSettings
from tests.lock_files import LAMBDA, locked

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / assets.DOCKERFILE).read_text(encoding="utf-8").replace("\\\n", " ")
FUNCTIONS: Final = ("ingest", "api")


def copied(function: str) -> list[str]:
    """The paths that the Dockerfile copies from the build context."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [path.replace("${FUNCTION}", function).rstrip("/") for line in lines for path in line.split()]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_path_that_the_dockerfile_copies_is_in_the_asset(function: str, tmp_path: Path) -> None:
    app.synthesise(tmp_path)
    (asset,) = [folder for folder in tmp_path.glob("asset.*") if (folder / "functions" / function).is_dir()]
    assert copied(function)
    optional = {"layers/next_mode[l]"}
    for path in copied(function):
        assert path in optional or (asset / path).exists(), path
    (other,) = set(FUNCTIONS) - {function}
    assert not (asset / "functions" / other).exists()
    top = {entry.name for entry in asset.iterdir()}
    assert top == {"functions", "layers", "shared"}
    assert not [path for path in asset.rglob("*") if path.name == "__pycache__" or path.suffix == ".pyc"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_image_runs_the_functions_handler(function: str, tmp_path: Path) -> None:
    app.synthesise(tmp_path)
    described = json.loads(next(tmp_path.glob("*.assets.json")).read_text(encoding="utf-8"))
    builds = [image["source"]["dockerBuildArgs"] for image in described["dockerImages"].values()]
    assert {"FUNCTION": function, "MODEL": "resnet50", "PRECISION": "float16", "FACE_MODEL": "dlib-resnet"} in builds
    assert importlib.util.find_spec(f"functions.{function}.handler")


def test_the_precision_setting_is_passed_to_the_image_build(tmp_path: Path) -> None:
    app.synthesise(tmp_path, {"model_precision": "int8"})
    described = json.loads(next(tmp_path.glob("*.assets.json")).read_text(encoding="utf-8"))
    builds = [image["source"]["dockerBuildArgs"] for image in described["dockerImages"].values()]
    assert {build["FUNCTION"]: build["PRECISION"] for build in builds} == dict.fromkeys(FUNCTIONS, "int8")
    model = DOCKERFILE.split(" AS model\n")[1].split("\nFROM ")[0]
    assert re.search(r"^ARG PRECISION$", model, re.MULTILINE)
    assert '--precision "$PRECISION"' in model
    assert [str(precision) for precision in Precision] == ["float16", "int8"]
    with pytest.raises(ContextError, match="model_precision must be one of float16, int8, not 'int4'"):
        app.template({"model_precision": "int4"})


def test_the_model_setting_is_passed_to_the_image_build(tmp_path: Path) -> None:
    app.synthesise(tmp_path, {"model": "efficientnet-lite0"})
    described = json.loads(next(tmp_path.glob("*.assets.json")).read_text(encoding="utf-8"))
    builds = [image["source"]["dockerBuildArgs"] for image in described["dockerImages"].values()]
    assert {build["FUNCTION"]: build["MODEL"] for build in builds} == dict.fromkeys(FUNCTIONS, "efficientnet-lite0")
    model = DOCKERFILE.split(" AS model\n")[1].split("\nFROM ")[0]
    assert re.search(r"^ARG MODEL$", model, re.MULTILINE)
    assert '--model "$MODEL" --out "/opt/${MODEL}"' in model
    document = app.template({"model": "efficientnet-lite0"})
    for name in FUNCTIONS:
        assert environment(document, name)["PICTRACE_MODEL_DIR"] == "/opt/efficientnet-lite0"
    with pytest.raises(ContextError, match=f"model must be one of {', '.join(NETWORKS)}, not 'vgg16'"):
        app.template({"model": "vgg16"})


def test_the_image_installs_the_versions_that_are_tested_here() -> None:
    lock = locked(ROOT / "functions" / "requirements.lock")
    pinned = {one.name: one.version for one in lock if one.applies(LAMBDA)}
    assert {name: version(name) for name in pinned} == pinned
    needed = [Requirement(line) for name in pinned for line in requires(name) or []]
    names = {canonicalize_name(need.name) for need in needed if not need.marker or need.marker.evaluate({"extra": ""})}
    assert names <= {canonicalize_name(name) for name in pinned}


def test_build_stages_produce_what_later_stages_copy() -> None:
    stages = re.findall(r"^FROM --platform=\$BUILDPLATFORM .* AS (\w+)$", DOCKERFILE, re.MULTILINE)
    taken = re.findall(r"^COPY --from=(\w+) (\S+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {stage for stage, _ in taken} == set(stages)
    for stage, path in taken:
        made = DOCKERFILE.split(f" AS {stage}\n")[1].split("\nFROM ")[0]
        assert path in made
    assert "--or-fallback" not in DOCKERFILE


def test_no_build_step_runs_on_the_target_processor() -> None:
    *built, arm64, amd64, last = DOCKERFILE.split("\nFROM ")[1:]
    assert [stage.split(" ", 1)[0] for stage in built] == ["--platform=$BUILDPLATFORM"] * 3
    assert arm64.strip() == "--platform=linux/arm64 ${LAMBDA_ARM64} AS lambda-arm64"
    assert amd64.strip() == "--platform=linux/amd64 ${LAMBDA_AMD64} AS lambda-amd64"
    assert last.startswith("lambda-${TARGETARCH}\n")
    assert not re.search(r"^RUN", last, re.MULTILINE)


def test_bytecode_is_compiled_by_the_python_that_runs_it() -> None:
    """Python ignores bytecode of another version; with unchecked hashes it never compares bytecode with its source."""
    versions = re.findall(r"^ARG \w+=.*/python:(3\.\d+)", DOCKERFILE, re.MULTILINE)
    assert versions == [wheels.PYTHON] * 3
    assert "compileall -q --invalidation-mode unchecked-hash /code" in DOCKERFILE
    assert re.search(r"^COPY --from=code /code \$\{LAMBDA_TASK_ROOT\}$", DOCKERFILE, re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editable copy of the files from which the functions are built."""
    for path in (*assets.SHIPPED, "shared/net", *(f"functions/{name}" for name in (*FUNCTIONS, "fetch"))):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target, ignore=shutil.ignore_patterns("__pycache__", "*.h5"))
        else:
            shutil.copy(ROOT / path, target)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    return tmp_path


def image_uris() -> dict[str, str]:
    """The image URI of each function, by the function's name."""
    document = app.template()
    return {
        properties["ImageConfig"]["Command"][0].split(".")[1]: properties["Code"]["ImageUri"]["Fn::Sub"]
        for properties in (resource["Properties"] for resource in document["Resources"].values())
        if "ImageConfig" in properties
    }


def test_an_edit_rebuilds_only_the_images_that_it_affects(checkout: Path) -> None:
    before = image_uris()

    def changed(path: str) -> set[str]:
        with (checkout / path).open("a", encoding="utf-8") as file:
            file.write("\n")
        after = image_uris()
        different = {name for name in FUNCTIONS if before[name] != after[name]}
        before.update(after)
        return different

    for folder in ("docs", "shared/embedded"):
        (checkout / folder).mkdir()
    assert changed("docs/page.md") == set()
    assert changed("shared/embedded/database.py") == set()
    assert changed("functions/api/handler.py") == {"api"}
    assert changed("functions/ingest/handler.py") == {"ingest"}
    assert changed("shared/settings.py") == {"api", "ingest"}
    assert changed("layers/models/export.py") == {"api", "ingest"}


def test_a_second_model_is_built_into_the_image(checkout: Path) -> None:
    with pytest.raises(ContextError, match="next_model names m-2, but layers/next_model holds nothing"):
        app.template({"next_model": "m-2"})
    before = image_uris()
    (checkout / assets.NEXT_MODEL).mkdir()
    (checkout / assets.NEXT_MODEL / "model.json").write_text('{"id": "m-2"}', encoding="utf-8")
    assert all(before[name] != made for name, made in image_uris().items())
    document = app.template({"next_model": "m-2"})
    assert document["Outputs"]["NextModel"]["Value"] == "m-2"
    for name in FUNCTIONS:
        [folder] = ApiSettings.from_environ(environment(document, name) | {"PICTRACE_ACCESS": "keys"}).model_dirs[1:]
        assert re.search(r"^COPY layers/__init__.py layers/next_mode\[l\] /next_model/$", DOCKERFILE, re.MULTILINE)
        assert re.search(rf"^COPY --from=code /next_model {folder}$", DOCKERFILE, re.MULTILINE)


def environment(document: dict[str, Any], function: str) -> dict[str, str]:
    for resource in document["Resources"].values():
        if resource["Properties"].get("ImageConfig", {}).get("Command") == [f"functions.{function}.handler.handler"]:
            variables = resource["Properties"]["Environment"]["Variables"]
            return {name: str(value) for name, value in variables.items()}
    raise LookupError(function)
