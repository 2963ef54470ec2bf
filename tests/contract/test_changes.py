"""Changes of the OpenAPI document are classified, and a breaking one needs a new version."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from shared.version import VERSION
from tests.contract import openapi
from tests.contract.changes import Change, Weight, changes, last_release, lowest_version, version_of
from tests.repository.files import text

SMALL: Any = {
    "paths": {
        "/cats": {
            "get": {
                "parameters": [{"in": "query", "name": "k", "schema": {"type": "integer", "maximum": 9, "default": 5}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Cat"}}}}
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": []}
                        }
                    }
                },
                "responses": {"204": {}},
            },
        }
    },
    "components": {
        "schemas": {
            "Cat": {
                "type": "object",
                "required": ["mood"],
                "properties": {
                    "mood": {"type": "string", "enum": ["calm"]},
                    "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            }
        }
    },
}
CAT, GET, BODY = "Cat", "GET /cats", "POST /cats body application/json"


def changed(change: Callable[[Any, Any, Any, Any], object]) -> list[Change]:
    """The changes after `change` had the new document's GET, POST body's schema, schema of a cat and paths."""
    new = copy.deepcopy(SMALL)
    calls = new["paths"]["/cats"]
    body = calls["post"]["requestBody"]["content"]["application/json"]["schema"]
    change(calls["get"], body, new["components"]["schemas"]["Cat"], new["paths"])
    return changes(SMALL, new)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda get, body, cat, paths: paths.pop("/cats"), (Weight.BREAKING, GET, "was removed")),
        (lambda get, body, cat, paths: get["parameters"].pop(), (Weight.BREAKING, f"{GET} query k", "was removed")),
        (
            lambda get, body, cat, paths: get["parameters"][0]["schema"].update(maximum=8),
            (Weight.BREAKING, f"{GET} query k", "has maximum 8"),
        ),
        (
            lambda get, body, cat, paths: get["parameters"][0]["schema"].update(default=4),
            (Weight.NOTICE, f"{GET} query k", "has the default 4, not 5"),
        ),
        (
            lambda get, body, cat, paths: body["required"].append("name"),
            (Weight.BREAKING, f"{BODY}.name", "is required"),
        ),
        (
            lambda get, body, cat, paths: body["properties"].update(age={"type": "integer"}),
            (Weight.ADDITION, f"{BODY}.age", "is new"),
        ),
        (
            lambda get, body, cat, paths: body["properties"].update(name={"type": "integer"}),
            (Weight.BREAKING, f"{BODY}.name", "is no longer string"),
        ),
        (
            lambda get, body, cat, paths: cat["properties"].pop("age"),
            (Weight.BREAKING, f"{CAT}.age", "was removed"),
        ),
        (lambda get, body, cat, paths: cat.update(required=[]), (Weight.BREAKING, f"{CAT}.mood", "may be missing")),
        (
            lambda get, body, cat, paths: cat["properties"]["mood"]["enum"].append("cross"),
            (Weight.NOTICE, f"{CAT}.mood", "may be 'cross'"),
        ),
        (
            lambda get, body, cat, paths: cat["properties"].update(age={"type": "integer"}),
            (Weight.ADDITION, f"{CAT}.age", "is no longer null"),
        ),
        (
            lambda get, body, cat, paths: cat["properties"]["age"]["anyOf"].append({"type": "string"}),
            (Weight.BREAKING, f"{CAT}.age", "may be string"),
        ),
        (lambda get, body, cat, paths: get["responses"].update({"404": {}}), (Weight.NOTICE, f"{GET} 404", "is new")),
        (
            lambda get, body, cat, paths: get["responses"].update({"200": {}}),
            (Weight.BREAKING, f"{GET} 200 application/json", "was removed"),
        ),
    ],
)
def test_a_change_is_classified(change: Callable[[Any, Any, Any, Any], object], expected: tuple[Any, ...]) -> None:
    assert changed(change)[0] == Change(*expected)


def test_what_people_read_is_no_change() -> None:
    new = copy.deepcopy(SMALL)
    new["components"]["schemas"]["Cat"]["description"] = "purrs"
    assert changes(SMALL, new) == []


def test_a_breaking_change_needs_the_next_version() -> None:
    breaking, addition = (Change(weight, "GET /cats", "") for weight in (Weight.BREAKING, Weight.ADDITION))
    assert lowest_version("0.1.4", [breaking]) == (0, 2, 0)
    assert lowest_version("2.1.4", [breaking]) == (3, 0, 0)
    assert lowest_version("2.1.4", [addition]) == (2, 1, 4)


def test_the_next_release_has_a_version_that_its_changes_allow() -> None:
    """Until a release sets the version, the changelog announces it."""
    version, released = last_release()
    found = changes(released, openapi.kept())
    announced = re.search(r"^The next release is at least (\d+\.\d+\.\d+):", text("CHANGELOG.md"), re.MULTILINE)
    planned = max(version_of(VERSION), version_of(announced[1]) if announced else ())
    assert planned >= lowest_version(version, found), [change for change in found if change.weight is Weight.BREAKING]


def test_the_document_of_the_released_version_is_kept() -> None:
    assert last_release()[0] == VERSION
