"""What others rely on, as one line for each promise: `python -m tests.contract.promises` prints what holds now.

`promises.txt` holds what was promised when the API was first complete, and what was added to it since. Descriptions are
not promises, and more may be added.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from functions.api.problems import PROBLEMS, problem_type
from infra import app
from shared.domain import images, table_schema
from tests.contract import openapi

KEPT: Final = Path(__file__).with_name("promises.txt")
SCHEMAS: Final = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
STATEFUL: Final = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::EventBus")


def kept() -> set[str]:
    """The promises that were made."""
    return set(KEPT.read_text(encoding="utf-8").splitlines())


def current() -> set[str]:
    """The promises that the application, the template, the table and the events hold now."""
    return {*_api(), *_template(), *_table(), *_events()}


def _api() -> Iterator[str]:
    document = openapi.current()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            call = f"{method.upper()} {path}"
            for parameter in operation.get("parameters", []):
                yield f"{call} takes {parameter['in']} {parameter['name']}: {_kind(parameter['schema'])}"
            for media in operation.get("requestBody", {}).get("content", {}):
                yield f"{call} takes {media}"
            for status, answer in operation["responses"].items():
                for media, content in answer.get("content", {"no body": {}}).items():
                    schema = content.get("schema", {})
                    for one in schema.get("anyOf", [schema]):
                        yield f"{call} answers {status} {media} {_kind(one)}".rstrip()
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema.get("properties", {}).items():
            yield f"{name}.{field}: {_kind(value)}"
        for value in schema.get("enum", []):
            yield f"{name} may be {value}"
    for slug, (status, _) in PROBLEMS.items():
        yield f"problem {problem_type(slug)} is {status}"


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(sorted({_kind(one) for one in schema["anyOf"]}))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("type", ""))


def _template() -> Iterator[str]:
    template = app.template()
    for name, resource in template["Resources"].items():
        if resource["Type"] in STATEFUL:
            yield f"resource {name} is {resource['Type']}"
        if resource["Type"] == "AWS::Lambda::Function":
            for variable in resource["Properties"]["Environment"]["Variables"]:
                yield f"function {name} reads {variable}"
    yield from (f"output {name}" for name in template["Outputs"])


def _table() -> Iterator[str]:
    for name in ("PARTITION_KEY", "SORT_KEY", "TTL_ATTRIBUTE", "LISTING_PARTITION", "LISTING_SORT", "VECTOR_ATTRIBUTE"):
        yield f"table {name} is {getattr(table_schema, name)}"
    yield from (f"record has {name}" for name in table_schema.RECORD_ATTRIBUTES)
    for name in ("UPLOADS_PREFIX", "SIGNATURES_PREFIX", "THUMBNAILS_PREFIX"):
        yield f"bucket {name} is {getattr(images, name)}"


def _events() -> Iterator[str]:
    for path in SCHEMAS.glob("*.json"):
        for field, schema in json.loads(path.read_text(encoding="utf-8")).get("properties", {}).items():
            yield f"event {path.stem} has {field}: {_kind(schema)}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in sorted(current())))
