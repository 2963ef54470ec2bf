"""`python -m infra.operate index` against the running system."""

import csv
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.ingest.bootstrap import dispatcher
from infra.local.cloud import STACK
from infra.operate import bucket_source, flow
from infra.operate.__main__ import main
from infra.operate.deployed_stack import DeployedStack
from tests.conftest import PicTrace
from tests.images import noise

FOLDERS = 1_001
"""Enough folder objects for a listing of two pages."""


class SourceBucket:
    """Another account's bucket that the stack may read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=name)

    def put(self, objects: dict[str, bytes]) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(lambda item: self.s3.put_object(Bucket=self.name, Key=item[0], Body=item[1]), objects.items())
            )


@pytest.fixture
def bucket(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> SourceBucket:
    found = SourceBucket(f"others-{uuid.uuid4().hex[:8]}")
    monkeypatch.setattr(dispatcher(), "_source_buckets", frozenset({found.name}))
    stack = DeployedStack(STACK, dict(running.cloud.outputs) | {"SourceBuckets": f"elsewhere,{found.name}"})
    monkeypatch.setattr(DeployedStack, "find", lambda _: stack)
    monkeypatch.setattr(flow, "POLL_INTERVALS", (0.05, 0.2))
    return found


@pytest.fixture
def sent_keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that the command sends to the queue."""
    keys: list[str] = []
    send = flow.Queue.send

    def noted(self: Any, bodies: Any) -> None:
        keys.extend(body["key"] for body in bodies)
        send(self, bodies)

    monkeypatch.setattr(flow.Queue, "send", noted)
    return keys


def index(*options: str) -> int:
    return main(["--stack", STACK, "index", *options])


def rows(report: Path) -> dict[str, str]:
    with report.open(encoding="utf-8", newline="") as file:
        return {row["key"]: row["code"] for row in csv.DictReader(file)}


def test_a_bucket_is_indexed_and_indexed_objects_are_skipped(
    running: PicTrace,
    bucket: SourceBucket,
    sent_keys: list[str],
    collection: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bucket_source, "MAX_UPLOAD_BYTES", 200_000)
    images = ["p/a b+%2B.png", "p/é/日本😀.png", "p/\x1b[2J\u202e.png", "z/last.png"]
    bucket.put({f"folders/{number:04}/": b"" for number in range(FOLDERS)})
    bucket.put({key: noise(81_000 + number) for number, key in enumerate(images)})
    bucket.put({"p/no\x07picture.txt": b"no image", "p/huge.bin": b"0" * 200_001})
    source, report = f"s3://{bucket.name}", tmp_path / "report.csv"

    assert index(source, "--collection", collection, "--yes", "--report", str(report)) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{source}/: 1,007 objects, ")
    assert "estimated cost if all are new" in said
    assert "4 indexed, 1,001 skipped, 2 rejected" in said
    assert "1 unsupported_type" in said
    assert "p/no\\x07picture.txt: unsupported_type: The file is not an image in a supported format" in said
    assert rows(report) == {"p/no\x07picture.txt": "unsupported_type", "p/huge.bin": "too_large"}
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == len(images)
    assert sorted(sent_keys) == sorted([*images, "p/no\x07picture.txt"])
    sent_keys.clear()

    bucket.put({"p/new.png": noise(81_000), "z/last.png": noise(81_100)})
    assert index(f"{source}/p", "--collection", collection, "--yes") == 0
    assert index(f"{source}/z/", "--collection", collection, "--yes", "--report", str(report)) == 0
    said = capsys.readouterr().out
    assert "1 duplicate, 3 skipped, 2 rejected" in said
    assert "1 indexed" in said
    assert sent_keys == ["p/new.png", "z/last.png"]
    assert rows(report) == {}
    assert running.search(noise(81_100), collection=collection, k=1)["matches"][0]["verdict"] == "identical"
    assert running.search(noise(81_003), collection=collection, k=1)["matches"][0]["verdict"] != "identical"


def test_indexing_into_another_collection_moves_the_image(
    running: PicTrace, bucket: SourceBucket, sent_keys: list[str], collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put({"a.png": noise(81_200)})
    assert index(f"s3://{bucket.name}", "--collection", collection, "--yes") == 0
    assert index(f"s3://{bucket.name}", "--collection", f"{collection}-b", "--yes") == 0
    assert index(f"s3://{bucket.name}", "--yes") == 0, "without a collection the image stays where it is"
    assert capsys.readouterr().out.count("1 indexed") == 2
    assert sent_keys == ["a.png"] * 2


def test_an_image_removed_through_the_api_is_not_indexed_again(
    running: PicTrace, bucket: SourceBucket, sent_keys: list[str], collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put({"a.png": noise(81_300)})
    source = (f"s3://{bucket.name}", "--collection", collection, "--yes")
    assert index(*source) == 0
    [match] = running.search(noise(81_300), collection=collection, k=1)["matches"]
    where = {"collection": collection}
    assert running.client.delete(f"/v1/images/{match['image_id']}", params=where).is_success
    assert index(*source) == 0
    assert not running.search(noise(81_300), collection=collection)["matches"], "it stays in the trash"
    assert running.client.delete(f"/v1/trash/{match['image_id']}", params=where).is_success
    capsys.readouterr()
    assert index(*source) == 0
    assert "a.png: dismissed: Its image was removed through the API." in capsys.readouterr().out
    assert len(sent_keys) == 1


def test_ctrl_c_stops_the_command_and_a_second_run_continues(
    running: PicTrace,
    bucket: SourceBucket,
    sent_keys: list[str],
    collection: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(flow, "BATCH_GET_SIZE", 2)
    monkeypatch.setattr(flow, "MAX_IN_FLIGHT", 2)
    bucket.put({f"{number}.png": noise(81_400 + number) for number in range(6)})
    source = (f"s3://{bucket.name}", "--collection", collection, "--yes")
    with monkeypatch.context() as pressed:
        pressed.setattr(flow.Flow, "_give_up", _press_ctrl_c)
        assert index(*source) == 130
    stopped = capsys.readouterr()
    assert "To continue, run the same command again." in stopped.err
    assert 0 < len(sent_keys) < 6
    assert index(*source) == 0
    said = capsys.readouterr().out
    assert "6 objects" in said
    assert "rejected" not in said
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == 6


def _press_ctrl_c(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("no_retry_delay")
def test_objects_that_are_never_settled_are_reported(
    running: PicTrace,
    bucket: SourceBucket,
    collection: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the model is broken")

    monkeypatch.setattr("functions.ingest.dispatcher.Dispatcher.dispatch", broken)
    monkeypatch.setattr("functions.ingest.handler.run_in_subprocess", broken)
    monkeypatch.setattr(flow, "QUIET_SECONDS", 1)
    bucket.put({"a.png": noise(81_500)})
    report = tmp_path / "report.csv"
    assert index(f"s3://{bucket.name}", "--collection", collection, "--yes", "--report", str(report)) == 130
    said = capsys.readouterr()
    assert "1 unsettled" in said.out
    assert "nothing is being processed" in said.err
    assert "redrive --list" in said.err
    assert rows(report) == {"a.png": "unsettled"}


def test_nothing_is_sent_without_confirmation(
    bucket: SourceBucket, sent_keys: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put({"a.png": noise(81_600)})
    assert index(f"s3://{bucket.name}", "--dry-run") == 0
    assert index(f"s3://{bucket.name}") == 0
    assert "there is no terminal to ask for confirmation" in capsys.readouterr().out
    assert index(f"s3://{bucket.name}/nowhere/", "--yes") == 0
    assert "no objects under" in capsys.readouterr().out
    assert not sent_keys


def test_a_bucket_that_the_stack_may_not_read_is_refused(
    bucket: SourceBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    assert index("s3://strangers", "--yes") == 1
    said = capsys.readouterr().err
    assert f'Set source_buckets in cdk.json to "elsewhere,{bucket.name},strangers" and deploy' in said
    assert index("s3://elsewhere", "--yes") == 1, "named in the settings, but the bucket does not exist"
    assert "cannot be listed" in capsys.readouterr().err


def test_images_of_the_stacks_own_bucket_stay_in_their_collection(
    running: PicTrace,
    put: Callable[..., str],
    sent_keys: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "POLL_INTERVALS", (0.05, 0.2))
    own, name = running.cloud.outputs["BucketName"], f"own-{uuid.uuid4().hex[:8]}"
    key = put(noise(81_700), f"uploads/{name}/{uuid.uuid4().hex}")
    assert index(f"s3://{own}/uploads/{name}/", "--yes") == 0
    assert sent_keys == [key]
    assert running.client.get("/v1/stats", params={"collection": name}).json()["images"] == 1
    for prefix in ("", "/uploads/", f"/uploads/{name}/"):
        assert index(f"s3://{own}{prefix}", "--collection", f"{name}-b", "--yes") == 1
        assert "would move to" in capsys.readouterr().err, "images in a collection's folder stay in that collection"
    assert index(f"s3://{own}/uploads/{name}/", "--collection", name, "--dry-run") == 0
    assert index(f"s3://{own}/signatures/", "--yes") == 1
    assert "are under uploads/" in capsys.readouterr().err
    assert index(f"s3://{own}", "--dry-run") == 0
    assert f"s3://{own}/uploads/:" in capsys.readouterr().out
