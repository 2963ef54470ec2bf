"""A change of model on a running system: two separate models, `reindex`, the switch, and the cleanup."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import cv2
import httpx
import numpy as np
import pytest

from infra.local.cloud import STACK
from infra.operate import flow
from infra.operate.__main__ import main
from infra.operate.catalogue_source import CatalogueImage, CatalogueSource
from infra.operate.deployed_stack import DeployedStack
from infra.operate.flow import Outcome
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.secondary_vectors import DynamoSecondaryVectors
from shared.domain.ledger import ImageKey
from tests.conftest import ROOT
from tests.images import noise
from tests.integration.conftest import until
from tests.processes import read_until_ready, stop

NEXT = "stand-in"
SEEDS = range(91_000, 91_008)
IMAGES = len(SEEDS)
LATER = 91_100
ARCHIVED = 91_200
REPLACED = 91_300
SMALL_NETWORK = """
import json, sys
from pathlib import Path
import keras
from layers.models.conversion import Precision, convert
keras.utils.set_random_seed(5)
rgb = keras.Input((224, 224, 3), batch_size=1, dtype="uint8", name="rgb")
features = keras.layers.Flatten()(keras.layers.AveragePooling2D(16)(keras.ops.cast(rgb, "float32") - 127))
features = keras.layers.Dense(2048)(features)
probabilities = keras.layers.Dense(1000, activation="softmax")(features)
network = keras.Model(rgb, {"features": features, "probabilities": probabilities})
out = Path(sys.argv[1])
(out / "model.tflite").write_bytes(convert(network, Precision.FLOAT16))
(out / "model.json").write_text(json.dumps({"id": sys.argv[2], "has_labels": False}))
"""
"""A program that exports another, very fast network."""


class System:
    """The emulated stack with two models, in a separate process."""

    def __init__(self, said: str) -> None:
        [self.url] = re.findall(r"PicTrace +(\S+)", said)
        [self.endpoint] = re.findall(r"emulator +(\S+)", said)
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def found(self, seed: int, **parameters: str) -> bool:
        """Whether a search by an altered copy, which only the vectors of a model can find, finds an image."""
        pixels: Any = cv2.imdecode(np.frombuffer(noise(seed), np.uint8), cv2.IMREAD_COLOR)
        pixels[:2] = 255 - pixels[:2]
        files = {"file": ("query", cv2.imencode(".png", pixels)[1].tobytes())}
        answer = self.client.post("/v1/search", params={"k": "1", **parameters}, files=files)
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == parameters.get("model", answer.json()["model"])
        matches = answer.json()["matches"]
        return bool(matches) and matches[0]["image_id"] == hashlib.sha256(noise(seed)).hexdigest()

    def every(self, **parameters: str) -> int:
        """The number of the initial images that a search finds."""
        return sum(self.found(seed, **parameters) for seed in SEEDS)

    def upload(self, seed: int) -> None:
        form = self.client.post("/v1/uploads", json={"filename": "n.png", "content_type": "image/png"}).json()
        httpx.post(form["url"], data=form["fields"], files={"file": ("n.png", noise(seed))}).raise_for_status()
        upload = f"/v1/uploads/{form['upload_id']}"
        until(lambda: self.client.get(upload).json()["status"] == "indexed")

    def stats(self) -> Any:
        return self.client.get("/v1/stats").json()

    def images(self) -> list[Any]:
        listed: list[Any] = self.client.get("/v1/images").json()["images"]
        return listed


@pytest.fixture(scope="module")
def next_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("next")
    subprocess.run(
        [sys.executable, "-c", SMALL_NETWORK, str(folder), NEXT],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)},
    )
    return folder


@pytest.fixture(scope="module")
def system(model_dir: Path, next_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("images")
    for seed in SEEDS:
        (folder / f"{seed}.png").write_bytes(noise(seed))
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.emulated", "--port", "0", "--model-dir", model_dir, "--pictures", folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PICTRACE_NEXT_MODEL_DIR": str(next_model)},
    )
    try:
        said = read_until_ready(process)
        assert f"{IMAGES} indexed" in said
        yield System(said)
    finally:
        stop(process)
    assert process.returncode == 0


@pytest.fixture
def stack(system: System, monkeypatch: pytest.MonkeyPatch) -> DeployedStack:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
        monkeypatch.setenv(f"AWS_{name}", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", system.endpoint)
    monkeypatch.setattr(flow, "POLL_INTERVALS", (0.05, 0.2))
    return DeployedStack.find(STACK)


def reindex(*options: str) -> int:
    return main(["--stack", STACK, "reindex", "--model", NEXT, *options])


def items(stack: DeployedStack) -> list[Any]:
    found: list[Any] = boto3.client("dynamodb").scan(TableName=stack.table)["Items"]
    return [item for item in found if item["pk"]["S"].startswith("image#")]


def test_a_model_change_reindexes_switches_and_cleans_up(
    system: System, stack: DeployedStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = system.stats()["model"]["id"]
    listed = system.images()
    assert system.stats()["models"] == [first, NEXT]
    assert len(listed) == system.stats()["images"] == IMAGES, "two vectors are one image"
    assert system.every(model=first) == system.every(model=NEXT) == IMAGES
    unknown = system.client.get(f"/v1/images/{listed[0]['image_id']}/similar", params={"model": "other"})
    assert (unknown.status_code, unknown.json()["type"]) == (422, "urn:pictrace:problem:invalid-request")

    for image in listed:  # as if the images had been indexed before there was a next model
        DynamoSecondaryVectors(dynamodb_client(), stack.table).delete(ImageKey("default", image["image_id"]))
    assert (system.every(), system.every(model=NEXT)) == (IMAGES, 0)
    _refused_before_it_is_done(capsys)
    _stopped_and_gone_on(capsys, monkeypatch)
    assert system.every(model=first) == system.every(model=NEXT) == IMAGES

    removed = listed[0]["image_id"]
    assert system.client.delete(f"/v1/images/{removed}").is_success
    assert system.client.delete(f"/v1/trash/{removed}").is_success
    assert not [item for item in items(stack) if item["pk"]["S"] == f"image#{removed}"], (
        "a removal deletes both vectors"
    )

    assert reindex("--switch") == 0
    assert f"To go back: reindex --switch --model {first}" in capsys.readouterr().out
    until(lambda: system.stats()["model"]["id"] == NEXT)
    assert system.every() == system.every(model=first) == IMAGES - 1
    system.upload(LATER)
    assert system.found(LATER, model=first), "the model before goes on describing, so that there is a way back"
    assert main(["--stack", STACK, "reindex", "--model", first, "--switch"]) == 0
    assert DynamoActiveModel(dynamodb_client(), stack.table, []).stored() == first
    assert reindex("--switch") == 0

    assert reindex("--clean") == 0
    assert {item["model"]["S"] for item in items(stack) if "model" in item} == {first, NEXT}, "nobody confirm"
    assert reindex("--clean", "--yes") == 0
    kinds = {(item["sk"]["S"].split("#")[0], item.get("model", {"S": ""})["S"]) for item in items(stack)}
    assert kinds == {("collection", NEXT), ("source", "")}
    signatures = boto3.client("s3").list_objects_v2(Bucket=stack.outputs["BucketName"], Prefix="signatures/")
    assert [entry["Key"].split("/")[1] for entry in signatures["Contents"]] == [NEXT] * IMAGES
    assert (system.every(model=NEXT), system.every(model=first)) == (IMAGES - 1, 0)
    assert system.found(LATER)
    before = {image["image_id"]: image["created_at"] for image in listed[1:]}
    now = {image["image_id"]: image["created_at"] for image in system.images()}
    assert len(now) == IMAGES
    assert before.items() <= now.items(), "no image is newer than it was"


def _refused_before_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert reindex("--switch") == 1
    assert f"{IMAGES} images would not be found" in capsys.readouterr().err
    assert reindex("--clean", "--yes") == 1
    assert "reindex, then reindex --switch" in capsys.readouterr().err
    assert reindex("--dry-run") == 0
    assert f"{IMAGES} images, {IMAGES} of them not described by {NEXT} yet" in capsys.readouterr().out


def _stopped_and_gone_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as pressed:
        pressed.setattr(flow, "BATCH_GET_SIZE", 2)
        pressed.setattr(flow, "MAX_IN_FLIGHT", 2)
        pressed.setattr(flow.Flow, "_give_up", _press_ctrl_c)
        assert reindex("--yes") == 130
    assert reindex("--yes") == 0
    said = capsys.readouterr()
    assert "To continue, run the same command again." in said.err
    assert re.search(r"\d indexed, [1-7] skipped\n$", said.out), said.out
    assert reindex("--yes") == 0
    assert f"{IMAGES} images, 0 of them" in capsys.readouterr().out


def _press_ctrl_c(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_archived_original_is_reported_and_reindexed_once_restored(
    system: System, stack: DeployedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    system.upload(ARCHIVED)
    image_id = hashlib.sha256(noise(ARCHIVED)).hexdigest()
    image = system.client.get(f"/v1/images/{image_id}").json()
    [other] = set(system.stats()["models"]) - {image["model"]}
    command = ["--stack", STACK, "reindex", "--model", other, "--yes"]
    DynamoSecondaryVectors(dynamodb_client(), stack.table).delete(ImageKey("default", image_id))
    s3, [held] = boto3.client("s3"), image["sources"]
    bucket, key = held["bucket"], held["key"]
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, StorageClass="GLACIER")

    assert main(command) == 0
    said = capsys.readouterr().out
    assert "1 rejected\n  1 archived\n" in said
    assert f"default/{image_id}: archived: The object is archived (GLACIER). Restore it, then index it again." in said
    dead = boto3.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert dead["Attributes"]["ApproximateNumberOfMessages"] == "0"
    assert (system.found(ARCHIVED, model=image["model"]), system.found(ARCHIVED, model=other)) == (True, False)

    s3.put_object(Bucket=bucket, Key=key, Body=noise(ARCHIVED))
    assert main(command) == 0
    assert "rejected" not in capsys.readouterr().out
    assert system.found(ARCHIVED, model=other)


def test_reindexing_without_a_next_model_is_refused(stack: DeployedStack, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", STACK, "reindex"]) == 1
    assert "has no next model" in capsys.readouterr().err


def test_an_image_that_was_indexed_again_by_the_model_meanwhile_has_a_result(
    system: System, stack: DeployedStack
) -> None:
    """After a switch, an event may replace the record that the survey saw by one of the next model."""
    system.upload(REPLACED)
    image_id = hashlib.sha256(noise(REPLACED)).hexdigest()
    model = system.client.get(f"/v1/images/{image_id}").json()["model"]
    surveyed = CatalogueImage(ImageKey("default", image_id), "the model before")
    source = CatalogueSource(dynamodb_client(), stack.table, model)
    assert source.results({surveyed: 0})[surveyed].outcome is Outcome.INDEXED
    [other] = set(system.stats()["models"]) - {model}
    DynamoSecondaryVectors(dynamodb_client(), stack.table).delete(surveyed.image_key)
    assert not CatalogueSource(dynamodb_client(), stack.table, other).results({surveyed: 0})
