"""The command that compares a collection again, through the API and through the stack."""

import time
from typing import Any

import boto3
import pytest

from infra.local.cloud import STACK
from infra.operate import upload_client
from infra.operate.__main__ import main
from infra.operate.collection_client import CollectionClient
from infra.operate.connection import EXIT_STOPPED
from infra.operate.progress import EXIT_INTERRUPTED
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.domain.ledger import ImageKey
from tests.conftest import PicTrace
from tests.images import encoded, pixels


def groups(running: PicTrace, collection: str) -> list[Any]:
    found: list[Any] = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
    return found


@pytest.mark.parametrize("through", ["api", "stack"])
def test_a_collection_is_compared_again(
    running: PicTrace,
    collection: str,
    through: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Images as an older version stored them: in no group, and of unknown quality."""
    monkeypatch.setattr("infra.operate.duplicates.SECONDS", 0.1)
    rgb = pixels("coffee.png")
    best = running.add(encoded(rgb, ".png"), collection=collection)
    copy = running.add(encoded(rgb, ".jpg", 1, 60), collection=collection, media_type="image/jpeg")
    table = running.cloud.outputs["TableName"]
    for image_id in (best, copy):
        boto3.client("dynamodb").update_item(
            TableName=table,
            Key={"pk": {"S": f"image#{image_id}"}, "sk": {"S": f"collection#{collection}"}},
            UpdateExpression="REMOVE duplicate_group, quality",
        )
    assert groups(running, collection) == []
    target = ["--url", running.url] if through == "api" else []
    stack = [] if through == "api" else ["--stack", STACK]
    assert main([*stack, "duplicates", "--look-again", "--collection", collection, *target]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("2 of 2 images compared, ")
    ((group),) = groups(running, collection)
    assert (group["best"], {image["image_id"] for image in group["images"]}) == (best, {best, copy})
    records = DynamoDuplicates(dynamodb_client(), table).records(collection, [best, copy])
    assert all(record.quality is not None for record in records.values())
    assert records[best].group == records[copy].group == ImageKey(collection, best).image_id


def test_a_server_that_was_never_reached_is_soon_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upload_client, "UNKNOWN_SECONDS", 0.5)
    started = time.monotonic()
    assert main(["duplicates", "--look-again", "--url", "http://127.0.0.1:9"]) == EXIT_STOPPED
    assert time.monotonic() - started < 10
    assert capsys.readouterr().err.startswith("pictrace: http://127.0.0.1:9 cannot be reached: ")


def test_ctrl_c_does_not_stop_the_comparison(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CollectionClient, "start_check", interrupted)
    assert main(["duplicates", "--look-again", "--url", "http://127.0.0.1:9"]) == EXIT_INTERRUPTED
    assert "The comparison goes on without this command" in capsys.readouterr().err
