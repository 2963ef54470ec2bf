"""Find the changes of the template that AWS would refuse, or that would lose the images of a deployment.

`python -m tests.infra.upgrades` writes the current state of the template to `PINNED`.
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
"""Types whose replacement would lose images, records, messages, or an address that clients use."""
INDEXES: Final = {"GlobalSecondaryIndexes": "secondary", "VectorIndexes": "vector"}
GUIDE: Final = "docs/guides/upgrades.md"
PINNED: Final = "tests/infra/stateful.json"


def stateful(document: Mapping[str, Any]) -> dict[str, Any]:
    """The logical ids of the stateful resources, and the definition of the table."""
    resources = document["Resources"]
    (table,) = (one for one in resources.values() if one["Type"] == "AWS::DynamoDB::Table")
    return {
        "logical_ids": {name: one["Type"] for name, one in resources.items() if one["Type"] in STATEFUL},
        "table": table["Properties"],
    }


def advice(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Advice on each difference between two states; empty if there is none."""
    return [*_moved(before["logical_ids"], after["logical_ids"]), *_table(before["table"], after["table"])]


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() - after.keys()):
        yield (
            f"{name} ({before[name]}) has lost its logical id: a deployment would create an empty one next to it. "
            "Keep the construct's path, or call override_logical_id with the old id."
        )
    for name in sorted(after.keys() - before.keys()):
        yield f"{name} ({after[name]}) is new: add it to {PINNED}, so that its logical id stays."
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"{name} was a {before[name]} and is a {after[name]}: use another id for the new one."


def _table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    changes = 0
    for prop, kind in INDEXES.items():
        old = {index["IndexName"]: index for index in before.get(prop, [])}
        new = {index["IndexName"]: index for index in after.get(prop, [])}
        for name in sorted(old.keys() & new.keys()):
            if old[name] != new[name]:
                yield (
                    f"The {kind} index {name} has another definition under the same name, which no deployment can "
                    f"make. Define its next version, in addition to the old one: {GUIDE}."
                )
        changes += len(old.keys() ^ new.keys())
    if changes > 1:
        yield f"{changes} indexes are added or removed, but one update of a table allows one. Deploy each one: {GUIDE}."
    elif changes:
        yield f"An index is added or removed. Follow {GUIDE}, then run python -m tests.infra.upgrades."
    if before["KeySchema"] != after["KeySchema"]:
        yield "The table's key has changed, which would create a new table without the records. Keep the key."
    others = sorted(
        name
        for name in before.keys() | after.keys()
        if name not in (*INDEXES, "KeySchema", "AttributeDefinitions") and before.get(name) != after.get(name)
    )
    if others:
        yield (
            f"{', '.join(others)} of the table changed. Look up “Update requires” in CloudFormation's reference of "
            "AWS::DynamoDB::Table. If it says “Replacement”, revert the change; otherwise run "
            "python -m tests.infra.upgrades."
        )


if __name__ == "__main__":
    text = json.dumps(stateful(template()), indent=2, sort_keys=True)
    Path(__file__).parents[2].joinpath(PINNED).write_text(f"{text}\n", encoding="utf-8")
