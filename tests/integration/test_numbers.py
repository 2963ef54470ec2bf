"""A network that computes no number of an image: the image is refused, and nothing of it is stored or searched for."""

from typing import Any

import boto3
import numpy as np
import pytest

from functions.ingest.bootstrap import dispatcher
from tests.conftest import PicTrace
from tests.images import noise


@pytest.fixture(params=["NaN", "infinity"])
def broken(running: PicTrace, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the features of every image is no number, in ingest and in the API."""
    wrong = np.float32(np.nan if request.param == "NaN" else np.inf)
    services: Any = running.cloud.app.state.services
    ingest: Any = dispatcher()
    for embedder in (*ingest._indexer._embedders(), services.searcher._embedder()):
        run = embedder._run

        def broken_run(run: Any = run, **inputs: Any) -> Any:
            outputs = {name: value.copy() for name, value in run(**inputs).items()}
            outputs["features"][0, 7] = wrong
            return outputs

        monkeypatch.setattr(embedder, "_run", broken_run)


def stored(running: PicTrace, collection: str) -> list[Any]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=running.cloud.outputs["TableName"])
    return [
        item["sk"]["S"]
        for page in pages
        for item in page["Items"]
        if item.get("collection", {}).get("S") == collection and "features" in item
    ]


@pytest.mark.usefixtures("broken")
def test_features_that_are_no_numbers_are_an_outcome(running: PicTrace, collection: str) -> None:
    state = running.settled(running.open(noise(820), collection=collection))
    assert (state["status"], state["code"]) == ("rejected", "undescribable")
    assert state["reason"] == "The model computes features of this image that are not all finite numbers."
    assert stored(running, collection) == []
    assert running.client.get("/v1/images", params={"collection": collection}).json()["images"] == []
    refused = running.client.post("/v1/search", params={"collection": collection}, files={"file": ("a", noise(820))})
    assert (refused.status_code, refused.json()["code"]) == (422, "undescribable")


def test_the_same_image_is_stored_where_they_are(running: PicTrace, collection: str) -> None:
    running.add(noise(820), collection=collection)
    assert len(stored(running, collection)) == 1
