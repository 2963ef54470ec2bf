"""The committed OpenAPI document is current, and the client covers it: calls, parameters, bodies, answers, errors."""

import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NotRequired, Union, Unpack

import pytest

from functions.api.problems import PROBLEMS, problem_type
from pictrace import answers, errors, operations, parameters
from pictrace.cli.adding import SUFFIX
from pictrace.client import Operations
from pictrace.operation import Operation
from shared.domain.formats import ENDINGS
from tests.conftest import PicTrace
from tests.contract import openapi

DOCUMENT = openapi.kept()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = {name: value for name, value in vars(Operations).items() if isinstance(value, Operation)}
BODIES = {
    name: getattr(parameters, name)
    for name in (
        "ImageChange",
        "AlbumUpdate",
        "AlbumImages",
        "DuplicateResolution",
        "DuplicateDecision",
        "GroupToResolve",
        "PersonChange",
        "FaceOwner",
    )
}
ANSWERS = {name: value for name, value in vars(answers).items() if typing.is_typeddict(value)}


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def kind(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types that a schema allows, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return frozenset(map(repr, SCHEMAS[name]["enum"])) if "enum" in SCHEMAS[name] else frozenset({name})
    if "anyOf" in schema:
        return frozenset().union(*map(kind, schema["anyOf"]))
    if "const" in schema:
        return frozenset({repr(schema["const"])})
    if schema["type"] == "array":
        return frozenset({f"list of {sorted(kind(schema['items']))}"})
    if schema["type"] == "object":
        [values] = schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()
        return frozenset({f"dict of {sorted(kind(values))}"})
    return frozenset({schema["type"]})


NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def kind_of_hint(hint: Any) -> frozenset[str]:
    """The same for a type hint."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return frozenset().union(*map(kind_of_hint, arguments))
    if origin is Literal:
        return frozenset(map(repr, arguments))
    if origin is NotRequired:
        return kind_of_hint(arguments[0])
    if origin in (list, Sequence):
        return frozenset({f"list of {sorted(kind_of_hint(arguments[0]))}"})
    if origin is dict:
        return frozenset({f"dict of {sorted(kind_of_hint(arguments[1]))}"})
    return frozenset({NAMES.get(hint, getattr(hint, "__name__", ""))})


def taken(call: Operation[..., Any]) -> dict[str, Any]:
    """The names and hints of a call's arguments, those of an unpacked TypedDict included."""
    found: dict[str, Any] = {}
    hints = typing.get_type_hints(call.describe)
    for name, parameter in inspect.signature(call.describe).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            assert typing.get_origin(hints[name]) is Unpack
            found |= typing.get_type_hints(typing.get_args(hints[name])[0])
        else:
            found[name] = hints[name]
    return found


def test_the_committed_document_is_what_the_application_serves(running: PicTrace) -> None:
    assert running.client.get("/openapi.json").json() == DOCUMENT, "run `make schemas`"


def test_the_client_has_every_call() -> None:
    offered = {(call.method, call.path) for call in OPERATIONS.values()}
    assert offered == {(method, path) for method, path, _ in calls()}
    assert len(OPERATIONS) > 30


@pytest.mark.parametrize(("method", "path", "described"), [*calls()], ids=lambda value: str(value)[:60])
def test_each_call_takes_every_query_parameter(method: str, path: str, described: Mapping[str, Any]) -> None:
    arguments: dict[str, Any] = {}
    for call in OPERATIONS.values():
        arguments |= taken(call) if (call.method, call.path) == (method, path) else {}
    for parameter in described.get("parameters", []):
        if parameter["in"] == "query":
            offered = kind_of_hint(arguments[parameter["name"]])
            assert kind(parameter["schema"]) - {"null"} == offered - {"null"}, parameter["name"]


def test_each_answer_has_the_fields_of_the_document() -> None:
    described = {
        name: {field: kind(value) for field, value in SCHEMAS[name]["properties"].items()}
        for name in ANSWERS
        if name != "Scores"
    }
    offered = {
        name: {field: kind_of_hint(hint) for field, hint in typing.get_type_hints(ANSWERS[name]).items()}
        for name in described
    }
    assert offered == described


def test_each_body_has_the_fields_of_the_document() -> None:
    for name, body in BODIES.items():
        assert {field: kind(value) for field, value in SCHEMAS[name]["properties"].items()} == {
            field: kind_of_hint(hint) for field, hint in typing.get_type_hints(body).items()
        }, name


def test_arguments_become_the_fields_of_a_body() -> None:
    for name, request in {
        "UploadRequest": operations.open_upload.request("a.png"),
        "UrlRequest": operations.fetch_image.request("https://example.com/cat.jpg"),
        "AlbumCreation": operations.create_album.request("Cats"),
        "ShareCreation": operations.create_share.request("a", days=1),
        "CollectionChange": operations.put_collection.request("cats"),
        "HashQuery": operations.search_hashes.request(phash="0" * 16, pdq=["0" * 64]),
        "KeptImage": operations.keep_image.request("a", "b"),
    }.items():
        assert request.json.keys() == SCHEMAS[name]["properties"].keys()


def test_each_call_returns_the_answer_of_the_document() -> None:
    for name, call in OPERATIONS.items():
        described = DOCUMENT["paths"][call.path][call.method.lower()]["responses"]
        successes = [answer for status, answer in described.items() if status.startswith("2")]
        content = {media: value for answer in successes for media, value in answer.get("content", {}).items()}
        if typing.is_typeddict(call.answer):
            found = kind(content["application/json"]["schema"])
            if name == "search":  # with an image; `search_hashes` sends hashes
                found -= {"HashMatchPage"}
            assert found == {call.answer.__name__}, name
        elif call.answer is bytes:
            assert "image/png" in content, name
        else:
            assert call.answer in (type(None), str), name
            assert not content, name


def test_each_problem_type_has_a_class() -> None:
    assert set(errors.BY_TYPE) == {problem_type(slug) for slug in PROBLEMS}


def test_add_takes_files_of_every_format() -> None:
    assert [ending for ending in ENDINGS if not SUFFIX.fullmatch(f".{ending}")] == []
    assert not SUFFIX.fullmatch(".txt")
