"""Tags and favourites through the API."""

import boto3

from shared.domain.access import Scope
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise, shipped
from tests.integration.conftest import send, until


def listed(running: PicTrace, collection: str, **conditions: str) -> list[str]:
    answer = running.client.get("/v1/images", params={"collection": collection, **conditions})
    assert answer.status_code == 200, answer.text
    return [image["image_id"] for image in answer.json()["images"]]


def test_an_image_has_the_tags_that_the_network_and_people_give(
    running: PicTrace, closed: ClosedApi, collection: str
) -> None:
    where = {"collection": collection}
    cat = running.add(shipped("chelsea.png").read_bytes(), collection=collection)
    other = running.add(noise(15_001), collection=collection)
    assert running.client.get(f"/v1/images/{cat}", params=where).json()["tags"] == ["cat"]
    path = f"/v1/images/{cat}/tags"
    assert running.client.put(f"{path}/Our%20Cat", params=where).json()["tags"] == ["our cat", "cat"]
    assert running.client.put(f"{path}/animal", params=where).json()["tags"] == ["animal", "our cat", "cat"]
    assert running.client.delete(f"{path}/ANIMAL", params=where).json()["tags"] == ["our cat", "cat"]
    assert running.client.put(f"/v1/images/{other}/tags/cat", params=where).status_code == 200
    assert running.client.patch(f"/v1/images/{cat}", params=where, json={"favourite": True}).json()["favourite"]

    assert listed(running, collection, tag="CAT") == [other, cat]
    assert listed(running, collection, tag="cat, our cat", match="all") == [cat]
    assert listed(running, collection, tag="cat", favourite="false") == [other]
    assert listed(running, collection, favourite="true") == [cat]
    assert listed(running, collection, tag="animal") == []
    assert running.client.get("/v1/tags", params=where).json() == {
        "tags": [{"tag": "cat", "images": 2}, {"tag": "our cat", "images": 1}],
        "images": 2,
        "exact": True,
    }
    found = running.search(shipped("chelsea.png").read_bytes(), collection=collection)["matches"][0]["image"]
    assert (found["tags"], found["favourite"]) == (["our cat", "cat"], True)
    many = ",".join("abcdefghijklmnopqrstu")
    for wrong in ({"tag": "a,,b"}, {"match": "some"}, {"favourite": "maybe"}, {"tag": many}):
        assert running.client.get("/v1/images", params=where | wrong).status_code == 422
    assert running.client.put(f"{path}/{'x' * 51}", params=where).status_code == 422
    assert running.client.put(f"/v1/images/{'0' * 64}/tags/cat", params=where).status_code == 404
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as reader:
        assert reader.put(f"{path}/mine").status_code == reader.patch(f"/v1/images/{cat}", json={}).status_code == 403
        assert reader.get("/v1/tags", params=where).status_code == 200


def test_reindexing_tells_what_an_image_of_an_earlier_version_shows(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    cat = running.add(shipped("chelsea.png").read_bytes(), collection=collection)
    before = running.client.get(f"/v1/images/{cat}", params=where).json()
    table, dynamodb = running.cloud.outputs["TableName"], boto3.client("dynamodb")
    key = {"pk": {"S": f"image#{cat}"}, "sk": {"S": f"collection#{collection}"}}
    record = dynamodb.get_item(TableName=table, Key=key)["Item"]
    record["format"]["S"] = record["format"]["S"].split("; things=")[0]
    dynamodb.put_item(TableName=table, Item=record)
    assert running.client.get(f"/v1/images/{cat}", params=where).json()["tags"] == []
    send(running, {"image_id": cat, "collection": collection, "model": before["model"]})
    until(lambda: running.client.get(f"/v1/images/{cat}", params=where).json()["tags"] == before["tags"])
