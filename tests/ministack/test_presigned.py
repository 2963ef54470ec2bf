"""Presigned forms and links allow only what their policy says."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import httpx
import pytest

from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects
from shared.domain.limits import MAX_UPLOAD_BYTES
from tests.conftest import PicTrace
from tests.images import noise

Fields = dict[str, str]


def open_form(deployed: PicTrace, collection: str) -> tuple[str, Fields]:
    wanted = {"filename": "a.png", "content_type": "image/png", "collection": collection}
    form = deployed.client.post("/v1/uploads", json=wanted).json()
    return form["url"], form["fields"]


def post_form(url: str, fields: Fields, data: bytes) -> tuple[int, str]:
    """Post the form and return the status and S3's error code."""
    answer = httpx.post(url, data=fields, files={"file": ("a.png", data)}, timeout=60)
    code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
    return answer.status_code, code


def is_stored(deployed: PicTrace, key: str) -> bool:
    bucket = deployed.cloud.outputs["BucketName"]
    return bool(boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"])


def with_fields(**values: str) -> Callable[[Fields], Fields]:
    return lambda fields: fields | {name.replace("_", "-"): value for name, value in values.items()}


def without_field(name: str) -> Callable[[Fields], Fields]:
    return lambda fields: {field: value for field, value in fields.items() if field != name}


@pytest.mark.parametrize(
    ("change", "data", "refusal"),
    [
        pytest.param(with_fields(key="uploads/default/by-form"), b"x", (403, "AccessDenied"), id="another key"),
        pytest.param(with_fields(key="signatures/by-form"), b"x", (403, "AccessDenied"), id="another prefix"),
        pytest.param(with_fields(Content_Type="text/html"), b"x", (403, "AccessDenied"), id="another type"),
        pytest.param(with_fields(acl="public-read"), b"x", (403, "AccessDenied"), id="an extra field"),
        pytest.param(with_fields(x_amz_meta_a="b"), b"x", (403, "AccessDenied"), id="metadata"),
        pytest.param(
            with_fields(x_amz_signature="0" * 64), b"x", (403, "SignatureDoesNotMatch"), id="another signature"
        ),
        pytest.param(with_fields(policy="e30="), b"x", (403, "SignatureDoesNotMatch"), id="another policy"),
        pytest.param(without_field("x-amz-security-token"), b"x", (400, "InvalidToken"), id="no session"),
        pytest.param(dict, b"", (400, "EntityTooSmall"), id="empty"),
        pytest.param(dict, bytes(MAX_UPLOAD_BYTES + 1), (400, "EntityTooLarge"), id="one byte too large"),
    ],
)
def test_a_form_accepts_only_the_upload_that_it_was_signed_for(
    deployed: PicTrace, collection: str, change: Callable[[Fields], Fields], data: bytes, refusal: tuple[int, str]
) -> None:
    url, fields = open_form(deployed, collection)
    assert post_form(url, change(fields), data) == refusal
    assert not is_stored(deployed, change(fields)["key"])
    assert post_form(url, fields, noise(1)) == (204, "")
    assert is_stored(deployed, fields["key"])


def test_a_form_expires(deployed: PicTrace, collection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.aws.objects.UPLOAD_EXPIRES_SECONDS", 6)
    objects = S3Objects(s3_client(), deployed.cloud.outputs["BucketName"])
    key = f"uploads/{collection}/late"
    url, fields = objects.open_upload(key, "image/png")
    assert post_form(url, fields, b"x") == (204, "")
    time.sleep(6.1)
    assert post_form(url, fields, b"y") == (403, "AccessDenied")
    assert boto3.client("s3").get_object(Bucket=deployed.cloud.outputs["BucketName"], Key=key)["Body"].read() == b"x"


def test_a_link_serves_one_image_as_one_type(deployed: PicTrace, collection: str) -> None:
    image_id = deployed.add(noise(2), collection=collection)
    link = deployed.client.get(f"/v1/images/{image_id}/content", params={"collection": collection}).headers["location"]
    shown = httpx.get(link)
    assert (shown.content, shown.headers["content-type"]) == (noise(2), "image/png")
    assert shown.headers["content-disposition"] == "inline"
    parts = urlsplit(link)

    def refused(**other: Any) -> bool:
        return httpx.get(urlunsplit(parts._replace(**other))).status_code == 403

    assert refused(query="")
    assert refused(query=parts.query.replace("image%2Fpng", "text%2Fhtml"))
    assert refused(path=parts.path[:-1] + ("0" if parts.path[-1] != "0" else "1"))
