"""What a change of the template would do to a deployment that holds images, by what AWS allows.

`python -m tests.infra.upgrades` writes the state as it is now to `PINNED`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.app import template

STATEFUL: Final = (
    "AWS::ApiGatewayV2::Api",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)
"""Types whose replacement loses something that others hold: images, records, messages, or an address."""
INDEXES: Final = {"GlobalSecondaryIndexes": "secondary", "VectorIndexes": "vector"}
GUIDE: Final = "docs/guides/upgrades.md"
PINNED: Final = "tests/infra/stateful.json"


def stateful(document: Mapping[str, Any]) -> dict[str, Any]:
    """The logical ids of what has a state, and the table's definition."""
    resources = document["Resources"]
    (table,) = (one for one in resources.values() if one["Type"] == "AWS::DynamoDB::Table")
    return {
        "logical_ids": {name: one["Type"] for name, one in resources.items() if one["Type"] in STATEFUL},
        "table": table["Properties"],
    }


def advice(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What to do about each difference between two states; empty where nothing of it changed."""
    return [*_moved(before["logical_ids"], after["logical_ids"]), *_table(before["table"], after["table"])]


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() - after.keys()):
        yield (
            f"{name} ({before[name]}) has lost its logical id: a deployment would begin with an empty one beside it. "
            "Keep the construct's path, or call override_logical_id with the old id."
        )
    for name in sorted(after.keys() - before.keys()):
        yield f"{name} ({after[name]}) is new: add it to {PINNED}, so that its logical id stays."
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"{name} was a {before[name]} and is a {after[name]}: give it an id of its own."


def _table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    changes = 0
    for prop, kind in INDEXES.items():
        old = {index["IndexName"]: index for index in before.get(prop, [])}
        new = {index["IndexName"]: index for index in after.get(prop, [])}
        for name in sorted(old.keys() & new.keys()):
            if old[name] != new[name]:
                yield (
                    f"The {kind} index {name} has another definition under the same name, which no deployment can "
                    f"make. Define it under its next version, beside the old one: {GUIDE}."
                )
        changes += len(old.keys() ^ new.keys())
    if changes > 1:
        yield f"{changes} indexes come or go, and an update of a table takes one. One deployment for each: {GUIDE}."
    elif changes:
        yield f"An index comes or goes, which {GUIDE} has the steps for. Then python -m tests.infra.upgrades."
    if before["KeySchema"] != after["KeySchema"]:
        yield "The table's key has changed: that is another table, without the records. Keep the key."
    others = sorted(
        name
        for name in before.keys() | after.keys()
        if name not in (*INDEXES, "KeySchema", "AttributeDefinitions") and before.get(name) != after.get(name)
    )
    if others:
        yield (
            f"{', '.join(others)} of the table changed. Look up «Update requires» in CloudFormation's reference of "
            f"AWS::DynamoDB::Table: where it is «Replacement», do not. Then python -m tests.infra.upgrades."
        )


if __name__ == "__main__":
    text = json.dumps(stateful(template()), indent=2, sort_keys=True)
    Path(__file__).parents[2].joinpath(PINNED).write_text(f"{text}\n", encoding="utf-8")
