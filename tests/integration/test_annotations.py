"""Filters of listings, and callers' own metadata, over HTTP."""

import uuid
from typing import Any

import pytest

from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.domain.access import Scope
from shared.domain.annotations import Annotations
from shared.domain.ledger import ConflictError, ImageKey
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise, shipped


@pytest.fixture(scope="module")
def album(running: PicTrace) -> tuple[str, list[str]]:
    """A collection with three images, and their ids, oldest first."""
    collection = f"t-{uuid.uuid4().hex[:12]}"
    files = (("small.png", noise(7301)), ("Chelsea.png", shipped("chelsea.png").read_bytes()))
    ids = [running.add(data, collection=collection, name=name) for name, data in files]
    rocket = shipped("rocket.jpg").read_bytes()
    ids.append(running.add(rocket, collection=collection, name="rocket.jpg", media_type="image/jpeg"))
    return collection, ids


def change(running: PicTrace, image_id: str, collection: str, **body: Any) -> Any:
    return running.client.patch(f"/v1/images/{image_id}", params={"collection": collection}, json=body)


def listed(running: PicTrace, collection: str, **parameters: Any) -> list[str]:
    answer = running.client.get("/v1/images", params={"collection": collection, **parameters})
    assert answer.status_code == 200, answer.text
    return [image["image_id"] for image in answer.json()["images"]]


def test_a_listing_is_filtered_and_ordered(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (small, cat, rocket) = album
    assert listed(running, collection, order="oldest") == [small, cat, rocket]
    assert listed(running, collection, format="jpeg") == [rocket]
    assert listed(running, collection, filename="chel") == [cat]
    sizes = {
        image["image_id"]: image["bytes"]
        for image in running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    }
    assert listed(running, collection, min_bytes=sizes[cat]) == [
        one for one in (rocket, cat, small) if sizes[one] >= sizes[cat]
    ]
    assert small not in listed(running, collection, min_pixels=100_000)
    assert listed(running, collection, max_pixels=100_000) == [small]
    assert listed(running, collection, label="cat", format="jpeg") == []


def test_a_listing_is_limited_to_dates_and_paged(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (small, cat, rocket) = album
    created = running.client.get(f"/v1/images/{cat}", params={"collection": collection}).json()["created_at"]
    assert listed(running, collection, since=created) == [rocket, cat]
    assert listed(running, collection, until=created) == [cat, small]
    assert listed(running, collection, since=created[:10], until=created[:10]) == [rocket, cat, small]
    assert listed(running, collection, until="2000-01-01") == []
    where: dict[str, str | int] = {"collection": collection, "order": "oldest", "limit": 2}
    first = running.client.get("/v1/images", params=where).json()
    rest = running.client.get("/v1/images", params=where | {"cursor": first["cursor"]}).json()
    assert [image["image_id"] for image in (*first["images"], *rest["images"])] == [small, cat, rocket]
    assert rest["cursor"] is None
    elsewhere = running.client.get("/v1/images", params=where | {"cursor": first["cursor"], "until": "2000-01-01"})
    assert elsewhere.json()["type"] == "urn:pictrace:problem:invalid-cursor"


@pytest.mark.parametrize("wrong", [{"since": "yesterday"}, {"until": "2026-02-30"}, {"format": "pdf"}, {"field": "x"}])
def test_conditions_that_mean_nothing_are_refused(running: PicTrace, wrong: dict[str, str]) -> None:
    answer = running.client.get("/v1/images", params=wrong)
    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.json()["detail"]


def test_annotations_are_merged_returned_and_filtered_by(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (small, cat, rocket) = album
    noted = {"external_id": "DAM-4711", "note": "for the cover", "fields": {"photographer": "Ada", "place": "Linz"}}
    assert change(running, cat, collection, **noted).json().items() >= noted.items()
    changed = change(running, cat, collection, note=None, fields={"place": None, "year": "1999"}).json()
    now = {"external_id": "DAM-4711", "note": None, "fields": {"photographer": "Ada", "year": "1999"}}
    assert changed.items() >= now.items()
    assert change(running, rocket, collection, fields={"photographer": "Ada"}).status_code == 200

    page = running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    assert [image["fields"] for image in page] == [{"photographer": "Ada"}, now["fields"], {}]
    assert listed(running, collection, external_id="DAM-4711") == [cat]
    assert listed(running, collection, field="photographer:Ada") == [rocket, cat]
    assert listed(running, collection, field=["photographer:Ada", "year:1999"], format="png") == [cat]
    first = running.client.get(
        "/v1/images", params={"collection": collection, "field": "photographer:Ada", "limit": 1}
    ).json()
    assert listed(running, collection, field="photographer:Ada", limit=1, cursor=first["cursor"]) == [cat]

    found = running.search(shipped("chelsea.png").read_bytes(), collection=collection, field="photographer:Ada")
    assert [match["image_id"] for match in found["matches"]] == [cat, rocket]
    assert found["matches"][0]["image"].items() >= now.items()
    found = running.search(shipped("chelsea.png").read_bytes(), collection=collection, field="photographer:Nobody")
    assert found["matches"] == []
    similar = running.client.get(
        f"/v1/images/{small}/similar", params={"collection": collection, "external_id": "DAM-4711"}
    )
    assert [match["image_id"] for match in similar.json()["matches"]] == [cat]


def test_malformed_annotations_are_refused(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (small, *_) = album
    for body in (
        {"note": "x" * 2001},
        {"fields": {"a:b": "c"}},
        {"fields": {"a": "x" * 257}},
        {"fields": {f"f{number}": "" for number in range(11)}},
        {"filename": "renamed.png"},
        {"fields": {"a": 1}},
    ):
        assert change(running, small, collection, **body).status_code == 422, body
    assert change(running, "0" * 64, collection, note="x").status_code == 404
    assert change(running, small, "another-collection", note="x").status_code == 404


def test_a_key_that_only_searches_changes_nothing(closed: ClosedApi, album: tuple[str, list[str]]) -> None:
    collection, (small, *_) = album
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as client:
        assert client.patch(f"/v1/images/{small}", json={"note": "x"}).status_code == 403


def test_concurrent_changes_do_not_overwrite_each_other(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (small, *_) = album
    catalogue = DynamoCatalogue(dynamodb_client(), running.cloud.outputs["TableName"])
    key = ImageKey(collection, small)
    catalogue.annotate(key, Annotations(), Annotations(note="first"))
    with pytest.raises(ConflictError):
        catalogue.annotate(key, Annotations(), Annotations(note="second"))
    catalogue.annotate(key, Annotations(note="first"), Annotations())
    assert catalogue.existing([small], collection) == {small: Annotations()}
    with pytest.raises(ConflictError):
        catalogue.annotate(ImageKey(collection, "0" * 64), Annotations(), Annotations(note="x"))


def test_a_download_link_saves_the_image_under_its_name(running: PicTrace, album: tuple[str, list[str]]) -> None:
    collection, (_, cat, _) = album
    answer = running.client.get(
        f"/v1/images/{cat}/content", params={"collection": collection, "download": "true"}, follow_redirects=True
    )
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Chelsea.png"
