"""If the network computes NaN or infinity for an image, the image is rejected and nothing of it is stored."""

from typing import Any

import numpy as np
import pytest

from functions.ingest.bootstrap import dispatcher
from tests.conftest import PicTrace
from tests.images import noise


@pytest.fixture(params=["NaN", "infinity"])
def broken(running: PicTrace, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One feature of every image is not a finite number, in the ingest function and in the API."""
    wrong = np.float32(np.nan if request.param == "NaN" else np.inf)
    services: Any = running.cloud.app.state.services
    ingest: Any = dispatcher()
    for embedder in (*ingest._indexer._images._embedders(), services.searcher._embedder()):
        run = embedder._run

        def broken_run(run: Any = run, **inputs: Any) -> Any:
            outputs = {name: value.copy() for name, value in run(**inputs).items()}
            outputs["features"][0, 7] = wrong
            return outputs

        monkeypatch.setattr(embedder, "_run", broken_run)


def stored(running: PicTrace, collection: str) -> list[Any]:
    items = running.items(
        FilterExpression="#collection = :collection AND attribute_exists(features)",
        ExpressionAttributeNames={"#collection": "collection"},
        ExpressionAttributeValues={":collection": {"S": collection}},
    )
    return [item["sk"]["S"] for item in items]


@pytest.mark.usefixtures("broken")
def test_an_image_with_non_finite_features_is_rejected(running: PicTrace, collection: str) -> None:
    state = running.wait_for_upload(running.upload(noise(820), collection=collection))
    assert (state["status"], state["code"]) == ("rejected", "undescribable")
    assert state["reason"] == "The model computes features of this image that are not all finite numbers."
    assert stored(running, collection) == []
    assert running.client.get("/v1/images", params={"collection": collection}).json()["images"] == []
    refused = running.client.post("/v1/search", params={"collection": collection}, files={"file": ("a", noise(820))})
    assert (refused.status_code, refused.json()["code"]) == (422, "undescribable")


def test_the_same_image_with_finite_features_is_stored(running: PicTrace, collection: str) -> None:
    running.add(noise(820), collection=collection)
    assert len(stored(running, collection)) == 1
