"""A caller cannot learn whether another collection has an image: not from responses, headers or response times.

Each test makes two calls that differ only in whether another collection has the image. It compares everything that the
caller can see, and the AWS calls that were made, which determine the response time.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import boto3
import httpx
import pytest

from shared.aws.dynamodb import item_mapper
from shared.domain.access import Scope
from shared.domain.images import ObjectRef
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise

HELD: Final = noise(7001)
ABSENT: Final = noise(7005)
"""Both have keypoints in equally many windows, so that a search for either makes equally many calls."""
OWN: Final = noise(7003)
VOLATILE: Final = {"date", "content-length"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class OtherCaller:
    """A caller with every scope in their own collection, which has one image; `upload` belongs to another one."""

    client: httpx.Client
    closed: ClosedApi
    collection: str
    theirs: str
    upload: str

    def observe(self, method: str, path: str, *hidden: str, **request: Any) -> tuple[Any, ...]:
        """Everything in a response, with the ids in `hidden` masked, and the AWS calls behind it."""
        self.closed.calls.clear()
        answer = self.client.request(method, path, **request)
        calls = sorted(self.closed.calls)
        headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
        body = answer.text
        if answer.headers.get("content-type") == "application/json":
            body = json.dumps({name: value for name, value in answer.json().items() if name != "took_ms"})
        for text in hidden:
            body = body.replace(text, "?")
        return answer.status_code, headers, body, calls


@pytest.fixture(scope="module")
def other_caller(running: PicTrace, closed: ClosedApi) -> Iterator[OtherCaller]:
    """The other collection has `HELD` twice, with its thumbnail stored and its signature cached by the API."""
    theirs, own = "t-theirs", "t-strangers"
    upload = running.upload(HELD, collection=theirs)
    assert running.wait_for_upload(upload)["status"] == "indexed"
    assert running.wait_for_upload(running.upload(HELD, collection=theirs))["status"] == "duplicate"
    running.add(OWN, collection=own)
    with closed.client(closed.key(Scope.ADMIN, collections=[theirs])) as owner:
        assert owner.get(f"/v1/images/{sha(HELD)}/thumbnail").status_code == 307
        assert owner.get(f"/v1/images/{sha(HELD)}/similar").status_code == 200
        assert owner.post("/v1/search", files={"file": ("a", HELD)}).json()["matches"][0]["verdict"] == "identical"
    with closed.client(closed.key(Scope.ADMIN, collections=[own])) as client:
        assert client.get(f"/v1/images/{sha(OWN)}/similar").status_code == 200
        yield OtherCaller(client, closed, own, theirs, upload)


BY_ID: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "record": ("GET", "/v1/images/{image_id}", {}),
    "content": ("GET", "/v1/images/{image_id}/content", {}),
    "content-link": ("GET", "/v1/images/{image_id}/content", {"headers": {"accept": "application/json"}}),
    "thumbnail": ("GET", "/v1/images/{image_id}/thumbnail", {}),
    "similar": ("GET", "/v1/images/{image_id}/similar", {}),
    "annotate": ("PATCH", "/v1/images/{image_id}", {"json": {"note": "seen"}}),
    "tag": ("PUT", "/v1/images/{image_id}/tags/{tag}", {}),
    "untag": ("DELETE", "/v1/images/{image_id}/tags/{tag}", {}),
    "remove": ("DELETE", "/v1/images/{image_id}", {}),
    "remove-here": ("DELETE", "/v1/images/{image_id}", {"params": {"collection": "t-strangers"}}),
    "group": ("GET", "/v1/duplicates/{image_id}", {}),
    "keep": ("PUT", "/v1/duplicates/{image_id}/kept", {"json": {"image_id": "ID"}}),
    "decide": ("POST", "/v1/duplicates/decisions", {"json": {"images": ["ID", sha(OWN)], "decision": "different"}}),
    "resolve": ("POST", "/v1/duplicates/resolve", {"json": {"groups": [{"group_id": "ID", "keep": ["ID"]}]}}),
    "restore": ("POST", "/v1/trash/{image_id}/restore", {}),
    "purge": ("DELETE", "/v1/trash/{image_id}", {}),
    "ancestor": ("GET", "/uploads/{image_id}.jpg", {}),
    "search": ("POST", "/v1/search", {"json": {"image_id": "ID"}}),
    "search-here": ("POST", "/v1/search", {"json": {"image_id": "ID"}, "params": {"collection": "t-strangers"}}),
    "search-by-upload": ("POST", "/v1/search", {"json": {"upload_id": "UPLOAD"}}),
    "upload-state": ("GET", "/v1/uploads/{upload_id}", {}),
    "compare-first": ("POST", "/v1/compare", {"json": {"a": "ID", "b": sha(OWN)}}),
    "compare-second": ("POST", "/v1/compare", {"json": {"a": sha(OWN), "b": "ID"}}),
    "compare-itself": ("POST", "/v1/compare", {"json": {"a": "ID", "b": "ID"}}),
    "compare-with-file": ("POST", "/v1/compare", {"files": {"a": ("a", HELD)}, "data": {"b": "ID"}}),
    "draw": ("POST", "/v1/compare", {"json": {"a": "ID", "b": sha(OWN)}, "params": {"picture": "matches"}}),
}
"""Every API call that names an image or an upload; links to albums answer without a caller."""
NAMED_IN_THE_BODY: Final = {"/v1/search", "/v1/compare", "/v1/duplicates/decisions", "/v1/duplicates/resolve"}


@pytest.mark.parametrize(
    ("call", "collection"),
    [
        (call, collection)
        for call, (_, _, request) in BY_ID.items()
        for collection in (None, "t-theirs", "t-nobodys")
        if collection is None or "params" not in request
    ],
)
def test_an_image_in_another_collection_is_answered_like_a_missing_one(
    other_caller: OtherCaller, call: str, collection: str | None
) -> None:
    method, path, request = BY_ID[call]
    parameters = request.get("params", {}) | ({"collection": collection} if collection else {})

    def seen(image_id: str, upload_id: str) -> tuple[Any, ...]:
        filled = {
            name: json.loads(json.dumps(value).replace('"ID"', f'"{image_id}"').replace('"UPLOAD"', f'"{upload_id}"'))
            for name, value in request.items()
            if name in {"json", "data"}
        }
        where = path.format(image_id=image_id, upload_id=upload_id, tag="dog")
        return other_caller.observe(method, where, image_id, upload_id, **(request | filled | {"params": parameters}))

    held, absent = seen(sha(HELD), other_caller.upload), seen(sha(ABSENT), "0" * 32)
    assert held == absent
    names_no_collection = call in {"upload-state", "decide", "resolve"} or call.startswith(("compare", "draw"))
    assert held[0] == (404 if collection is None else 422 if names_no_collection else 403)


def test_every_call_that_names_an_image_is_tested(other_caller: OtherCaller) -> None:
    paths = other_caller.client.get("/openapi.json").json()["paths"]
    named = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if ("{image_id}" in path and not path.startswith("/v1/shared/"))
        or "{upload_id}" in path
        or (method == "post" and path in NAMED_IN_THE_BODY)
    }
    assert named == {(method, path) for method, path, _ in BY_ID.values()}


def test_a_collection_of_another_caller_is_refused_whether_or_not_it_exists(other_caller: OtherCaller) -> None:
    for method, path, request in [
        ("GET", "/v1/images", {"params": {"collection": "?"}}),
        ("GET", "/v1/stats", {"params": {"collection": "?"}}),
        ("PUT", "/v1/collections/?", {"json": {}}),
        ("DELETE", "/v1/collections/?", {}),
        ("GET", "/v1/duplicates", {"params": {"collection": "?"}}),
        ("GET", "/v1/duplicates/decisions", {"params": {"collection": "?"}}),
        ("POST", "/v1/duplicates/check", {"params": {"collection": "?"}}),
        ("POST", "/v1/duplicates/resolve", {"json": {"collection": "?"}}),
        ("POST", "/v1/duplicates/decisions", {"json": {"collection": "?", "images": ["0" * 64] * 2, "decision": None}}),
        ("GET", "/v1/trash", {"params": {"collection": "?"}}),
        ("DELETE", "/v1/trash", {"params": {"collection": "?"}}),
        ("POST", "/v1/search", {"params": {"collection": "?"}, "files": {"file": ("a", HELD)}}),
        ("POST", "/v1/uploads", {"json": {"filename": "a", "content_type": "image/png", "collection": "?"}}),
        ("POST", "/v1/images", {"json": {"url": "https://example.org/a.png", "collection": "?"}}),
        ("POST", "/upload/", {"params": {"collection": "?"}, "files": {"file": ("a", HELD)}}),
        ("POST", "/upload_from_url/", {"params": {"collection": "?"}, "data": {"image_url": "https://example.org"}}),
    ]:

        def naming(collection: str, request: Any = request) -> Any:
            return {
                name: {key: collection if value == "?" else value for key, value in given.items()}
                for name, given in request.items()
            }

        theirs = other_caller.observe(method, path.replace("?", other_caller.theirs), **naming(other_caller.theirs))
        nobodys = other_caller.observe(method, path.replace("?", "t-nobodys"), **naming("t-nobodys"))
        assert theirs == nobodys, path
        assert (theirs[0], theirs[3]) == (403, []), path


def test_every_call_that_takes_a_collection_refuses_that_of_another_caller(other_caller: OtherCaller) -> None:
    """Read from the OpenAPI document, so that a new call cannot be forgotten."""
    document = other_caller.client.get("/openapi.json").json()
    ids = {"image_id": sha(HELD), "face_id": f"{sha(HELD)}-0a1b2c3d-000", "tag": "dog"}
    calls = 0
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            parameters = {parameter["name"]: parameter for parameter in call.get("parameters", [])}
            body = example(document, call.get("requestBody", {}).get("content", {}).get("application/json", {}))
            in_body = isinstance(body, dict) and "collection" in body
            if "collection" not in parameters and not in_body:
                continue
            calls += 1

            def answer(
                collection: str,
                path: str = path,
                method: str = method,
                parameters: Any = parameters,
                body: Any = body,
                in_body: bool = in_body,
            ) -> tuple[Any, ...]:
                filled = re.sub(
                    r"\{(\w+)\}",
                    lambda found: collection if found[1] == "collection" else ids.get(found[1], "0" * 32),
                    path,
                )
                in_query = parameters.get("collection", {}).get("in") == "query"
                return other_caller.observe(
                    method.upper(),
                    filled,
                    params={"collection": collection} if in_query else {},
                    **({"json": body | ({"collection": collection} if in_body else {})} if body else {}),
                )

            theirs = answer(other_caller.theirs)
            assert theirs == answer("t-nobodys"), (method, path)
            assert (theirs[0], theirs[3]) == (403, []), (method, path, theirs)
    assert calls > 60


def example(document: Any, schema: Any) -> Any:
    """Return a value that a schema of the OpenAPI document allows, from its examples where it has some."""
    schema = schema.get("schema", schema)
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    match schema:
        case {"anyOf": [first, *_]}:
            return example(document, first)
        case {"enum": [first, *_]} | {"const": first}:
            return first
        case {"properties": properties}:
            return {name: example(document, one) for name, one in properties.items()}
        case {"items": items}:
            return [example(document, items)] * max(1, schema.get("minItems", 1))
        case _:
            return {"string": "x", "integer": 1, "number": 0.5, "boolean": True}.get(schema.get("type"))


def test_listing_counting_and_searching_stay_in_the_callers_collection(
    other_caller: OtherCaller, running: PicTrace, collection: str
) -> None:
    """Changes in another collection change nothing, not even the number of bytes that a search examines."""
    query = {"file": ("a", noise(7004))}

    def everything() -> list[Any]:
        return [
            other_caller.observe("GET", "/v1/images"),
            other_caller.observe("GET", "/v1/stats"),
            other_caller.observe("POST", "/v1/search?ranking=cosine", files=query),
            other_caller.observe("GET", f"/v1/images/{sha(OWN)}/similar"),
        ]

    everything()
    before = everything()
    running.add(noise(7004), collection=collection)
    assert everything() == before
    [match] = other_caller.client.post("/v1/search", files=query).json()["matches"]
    assert match["image_id"] == sha(OWN)


def test_a_cursor_of_another_collection_is_refused(other_caller: OtherCaller, running: PicTrace) -> None:
    def cursor(collection: str, image_id: str) -> str:
        fields = json.dumps([collection, "2026-01-01T00:00:00.000000+00:00", image_id])
        return base64.urlsafe_b64encode(fields.encode()).decode().rstrip("=")

    def page(collection: str, image_id: str) -> tuple[Any, ...]:
        return other_caller.observe("GET", "/v1/images", params={"cursor": cursor(collection, image_id)})

    running.add(noise(7005), collection=other_caller.theirs)
    theirs = running.client.get("/v1/images", params={"collection": other_caller.theirs, "limit": 1}).json()["cursor"]
    assert other_caller.observe("GET", "/v1/images", params={"cursor": theirs})[0] == 400
    assert page(other_caller.theirs, sha(HELD)) == page("t-nobodys", sha(ABSENT))
    assert page(other_caller.collection, sha(HELD)) == page(other_caller.collection, sha(ABSENT))
    assert page(other_caller.collection, sha(HELD))[0] == 200


def test_uploading_an_image_of_another_collection_reveals_nothing(
    other_caller: OtherCaller, running: PicTrace, closed: ClosedApi
) -> None:
    """Bytes that another collection has are new in this one: they are indexed, and are not a duplicate."""

    def life(data: bytes) -> list[Any]:
        state = running.wait_for_upload(running.upload(data, collection=other_caller.collection))
        path = f"/v1/images/{sha(data)}"
        record = other_caller.client.get(path).json()
        steps: list[Any] = [state["status"], sorted(record), len(record["sources"])]
        for part in ("", "/thumbnail", "/thumbnail", "/content", "/similar"):
            status, _, _, calls = other_caller.observe("GET", path + part)
            steps.append((part, status, calls))
        searched = other_caller.observe("POST", "/v1/search", files={"file": ("a", data)})
        steps.append((searched[0], searched[3]))
        assert other_caller.client.delete(path).status_code == 204
        assert other_caller.client.get(path).status_code == 404
        return steps

    assert life(HELD) == life(ABSENT)
    with closed.client(closed.key(Scope.ADMIN, collections=[other_caller.theirs])) as owner:
        for part in ("content", "thumbnail"):
            link = owner.get(f"/v1/images/{sha(HELD)}/{part}").headers["location"]
            assert len(httpx.get(link).content) > 100, part
        assert owner.get(f"/v1/images/{sha(HELD)}/similar").status_code == 200
        assert len(owner.get(f"/v1/images/{sha(HELD)}").json()["sources"]) == 2


def test_many_sources_in_another_collection_do_not_displace_the_callers(
    other_caller: OtherCaller, running: PicTrace
) -> None:
    data, table = noise(7006), running.cloud.outputs["TableName"]
    items: list[Any] = [
        item_mapper.source_item(sha(data), "t-a-crowd", ObjectRef("b", f"uploads/t-a-crowd/{index}.png"))
        for index in range(150)
    ]
    dynamodb = boto3.client("dynamodb")
    for start in range(0, 150, 25):
        puts: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={table: puts})
    running.add(data, collection=other_caller.collection)
    assert len(other_caller.client.get(f"/v1/images/{sha(data)}").json()["sources"]) == 1
    assert other_caller.client.get(f"/v1/images/{sha(data)}/content").status_code == 307
    assert other_caller.client.delete(f"/v1/images/{sha(data)}").status_code == 204
