"""Images and layers are built for the processor architecture of their functions, whichever is chosen."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import aws_cdk
import pytest
from aws_cdk import aws_lambda as lambda_

import infra
from infra import app
from tests.infra.assembly import Assembly

PLATFORMS: Final = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
"""Docker's name for each of Lambda's architectures."""


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """The synthesised assembly for each architecture."""
    folders = {architecture: tmp_path_factory.mktemp(architecture) for architecture in PLATFORMS}
    for architecture, folder in folders.items():
        app.synthesise(folder, {"architecture": architecture})
    return {architecture: Assembly.read(folder) for architecture, folder in folders.items()}


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_each_image_is_built_for_the_processor_of_its_function(
    architecture: str, assemblies: dict[str, Assembly]
) -> None:
    made = assemblies[architecture]
    functions = made.of_type("AWS::Lambda::Function")
    images = {name: made.image_of(function) for name, function in functions.items()}
    built = {name: image["source"]["platform"] for name, image in images.items() if image}
    assert len(built) == len(made.images) == 2
    assert built == {name: PLATFORMS[functions[name]["Architectures"][0]] for name in built}
    assert {tuple(function["Architectures"]) for function in functions.values()} == {(architecture,)}


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_each_layer_is_built_for_the_processor_of_its_function(
    architecture: str, assemblies: dict[str, Assembly]
) -> None:
    made = assemblies[architecture]
    layers = made.of_type("AWS::Lambda::LayerVersion")
    used = {
        (layer["Ref"], *function["Architectures"])
        for function in made.of_type("AWS::Lambda::Function").values()
        for layer in function.get("Layers", ())
    }
    assert used == {(name, architecture) for name in layers}
    for layer in layers.values():
        assert layer["CompatibleArchitectures"] == [architecture]
        assert made.file_of(layer["Content"])["source"]["executable"][-2:] == ["--architecture", architecture]


def test_each_processor_has_its_own_image_and_layer(assemblies: dict[str, Assembly]) -> None:
    arm64, x86_64 = (
        {*made.images, *(name for name, file in made.files.items() if "executable" in file["source"])}
        for made in assemblies.values()
    )
    assert len(arm64) == len(x86_64) == 3
    assert not arm64 & x86_64


def test_jsii_creates_a_new_object_on_each_access() -> None:
    """The reason for the next test, which can be removed when this one fails."""
    assert lambda_.Architecture.ARM_64 != lambda_.Architecture.ARM_64


def sources() -> list[Path]:
    """Every file that imports the CDK."""
    root = Path(infra.__file__).parent
    return [path for path in root.rglob("*.py") if "aws_cdk" in path.read_text(encoding="utf-8")]


def test_no_cdk_object_is_compared_or_used_as_a_key() -> None:
    assert len(sources()) > 5
    assert [
        f"{path.name}:{found}" for path in sources() for found in compared_objects(path.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    "expression",
    [
        "given == lambda_.Architecture.ARM_64",
        "lambda_.Architecture.X86_64 != given",
        "given in (lambda_.Architecture.ARM_64,)",
        "{lambda_.Architecture.ARM_64: 1}",
        "names[given]",
        "names.get(given)",
        "given == names",
    ],
)
def test_such_a_comparison_is_detected(expression: str) -> None:
    source = f"""
    from aws_cdk import aws_lambda as lambda_
    def f(given: lambda_.Architecture, names: dict) -> object:
        return {expression}
    """
    assert compared_objects(textwrap.dedent(source)) == [4]


def test_comparisons_of_enumerations_and_names_are_allowed() -> None:
    source = """
    from aws_cdk import RemovalPolicy, aws_logs as logs
    def f(policy: RemovalPolicy, days: dict, stage: str) -> object:
        return policy == RemovalPolicy.RETAIN, days[policy], logs.RetentionDays["ONE_DAY"], stage == "arm64"
    """
    assert compared_objects(textwrap.dedent(source)) == []


def compared_objects(source: str) -> list[int]:
    """The lines on which a CDK object is compared, or used as the key of a mapping or the member of a set."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    held = {
        argument.arg
        for argument in ast.walk(tree)
        if isinstance(argument, ast.arg) and argument.annotation and _is_object(_value(argument.annotation, names))
    }
    return sorted({key.lineno for node in ast.walk(tree) for key in _keys(node) if _by_identity(key, names, held)})


def _keys(node: ast.AST) -> list[ast.expr]:
    """The operands of a node that compares or hashes them."""
    match node:
        case ast.Compare(left, operators, others) if not any(isinstance(one, ast.Is | ast.IsNot) for one in operators):
            return [part for side in (left, *others) for part in _members(side)]
        case ast.Dict(keys):
            return [key for key in keys if key]
        case ast.Set(members):
            return members
        case ast.Subscript(slice=key):
            return [key]
        case ast.Call(ast.Attribute(attr="get" | "index" | "count" | "remove"), [key, *_]):
            return [key]
        case _:
            return []


def _members(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


def _by_identity(node: ast.expr, names: dict[str, Any], held: set[str]) -> bool:
    if isinstance(node, ast.Name) and node.id in held:
        return True
    value = _value(node, names)
    return value is not None and not isinstance(value, type | Enum | str) and hasattr(value, "__jsii_type__")


def _is_object(value: Any) -> bool:
    return inspect.isclass(value) and hasattr(value, "__jsii_type__") and not issubclass(value, Enum)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """The value of a dotted CDK name, or None."""
    match node:
        case ast.Name(name):
            return names.get(name)
        case ast.Attribute(owner, name):
            found = _value(owner, names)
            return None if found is None else getattr(found, name, None)
        case _:
            return None


def _imported(tree: ast.AST) -> Iterator[tuple[str, ModuleType | Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "aws_cdk":
            for name in node.names:
                if name.name.startswith("aws_"):
                    import_module(f"aws_cdk.{name.name}")
                yield name.asname or name.name, getattr(aws_cdk, name.name)
