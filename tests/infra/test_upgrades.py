"""An upgrade keeps the images of a deployment: unsafe changes of the template are detected, with advice."""

import copy
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aws_cdk
import pytest

from infra import app
from infra.stack import storage
from shared.domain.table_schema import VECTOR_INDEX
from tests.infra.upgrades import GUIDE, PINNED, advice, stateful

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = "StorageTable976161E9"
DIFFERENT_FLAGS: Final = {
    "@aws-cdk/core:enableAdditionalMetadataCollection": "the constructs of the stack are not reported to anyone",
}
"""Feature flags that differ from the CDK's recommendation, with the reason."""


def pinned() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / PINNED).read_text(encoding="utf-8"))
    return found


def test_a_deployment_with_images_can_be_updated_to_this_template(document: dict[str, Any]) -> None:
    wrong = advice(pinned(), stateful(document))
    assert not wrong, "\n".join(wrong)
    assert stateful(document) == pinned(), "only attribute definitions changed: python -m tests.infra.upgrades"


def test_settings_do_not_change_stateful_resources() -> None:
    document = app.template(
        {
            "stage": "other",
            "architecture": "x86_64",
            "alarm_email": "ops@example.org",
            "source_buckets": "photos",
            "allowed_origins": "https://example.org",
        }
    )
    assert stateful(document) == pinned()


def vector(state: dict[str, Any]) -> Any:
    return state["table"]["VectorIndexes"]


def renamed(state: dict[str, Any]) -> None:
    ids = state["logical_ids"]
    ids["StorageRecords12345678"] = ids.pop(TABLE)


def projected(state: dict[str, Any]) -> None:
    vector(state)[0]["Projection"]["NonKeyAttributes"].append("more")


def added(state: dict[str, Any]) -> None:
    vector(state).append({**vector(state)[0], "IndexName": "features-v2"})


def replaced(state: dict[str, Any]) -> None:
    vector(state)[0]["IndexName"] = "features-v2"


def both_kinds(state: dict[str, Any]) -> None:
    added(state)
    state["table"]["GlobalSecondaryIndexes"].pop()


def rekeyed(state: dict[str, Any]) -> None:
    state["table"]["KeySchema"].pop()


def streamed(state: dict[str, Any]) -> None:
    state["table"]["StreamSpecification"] = {"StreamViewType": "KEYS_ONLY"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (renamed, ["StorageTable976161E9 .* lost its logical id", "StorageRecords12345678 .* is new"]),
        (projected, ["vector index features-v1 has another definition under the same name"]),
        (added, ["An index is added or removed"]),
        (replaced, ["2 indexes are added or removed"]),
        (both_kinds, ["2 indexes are added or removed"]),
        (rekeyed, ["key has changed"]),
        (streamed, ["StreamSpecification of the table changed"]),
    ],
)
def test_each_unsafe_change_has_its_advice(change: Callable[[dict[str, Any]], None], expected: list[str]) -> None:
    state = copy.deepcopy(pinned())
    change(state)
    found = advice(pinned(), state)
    assert len(found) == len(expected)
    assert all(re.search(pattern, sentence) for pattern, sentence in zip(expected, found, strict=True))


def test_index_names_have_a_version_and_appear_in_the_guide(document: dict[str, Any]) -> None:
    table = document["Resources"][TABLE]["Properties"]
    names = [index["IndexName"] for kind in ("GlobalSecondaryIndexes", "VectorIndexes") for index in table[kind]]
    assert all(re.fullmatch(r"[a-z_]+-v\d+", name) for name in names)
    page = (ROOT / GUIDE).read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in names)


def test_an_index_defined_beside_the_one_it_replaces_may_be_searched_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(storage.VECTOR_INDEXES, "features-v2", storage.VECTOR_INDEXES[VECTOR_INDEX])
    resources = app.template()["Resources"]
    assert [index["IndexName"] for index in resources[TABLE]["Properties"]["VectorIndexes"]][-1] == "features-v2"
    searched = [
        {part["Fn::Join"][1][-1] for part in statement["Resource"]}
        for resource in resources.values()
        if resource["Type"] == "AWS::IAM::Policy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "dynamodb:SearchVectors"
    ]
    assert searched == 2 * [{f"/index/{name}" for name in storage.VECTOR_INDEXES}]


def test_a_stage_that_retains_its_data_is_protected_from_deletion() -> None:
    kept, trial = app.build().synth(), app.build(context={"removal_policy": "destroy"}).synth()
    assert kept.stacks[0].termination_protection is True
    assert trial.stacks[0].termination_protection is not True
    for assembly, protected in ((kept, True), (trial, False)):
        assert assembly.stacks[0].template["Resources"][TABLE]["Properties"]["DeletionProtectionEnabled"] is protected


def test_every_recommended_cdk_feature_flag_is_set_or_explained() -> None:
    (archive,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/recommended-feature-flags.json")
        assert member
        recommended = json.load(member)
    decided = {name: value for name, value in app.default_context().items() if name.startswith("@")}
    assert decided.keys() == recommended.keys(), "a new version of the CDK has others: decide them in cdk.json"
    assert {name for name in decided if decided[name] != recommended[name]} == DIFFERENT_FLAGS.keys()
