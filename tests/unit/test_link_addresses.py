"""The addresses of buckets, to which links lead and which the page's policy allows."""

import boto3
import pytest

from functions.api.routes.web import content_security_policy
from shared.aws.clients import s3_client
from shared.aws.objects import S3Objects


def objects(monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str | None = None) -> S3Objects:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in (
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_ENDPOINT_URL", endpoint),
    ):
        if value:
            monkeypatch.setenv(name, value)
    return S3Objects(s3_client(), "own")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_has_a_regional_and_a_global_host(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    assert objects(monkeypatch, region).addresses("photos") == (
        f"https://photos.s3.{region}.amazonaws.com",
        "https://photos.s3.amazonaws.com",
    )


def test_a_bucket_with_dots_is_addressed_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    found = objects(monkeypatch, "eu-west-1").addresses("archive.example.org")
    assert found == ("https://s3.eu-west-1.amazonaws.com/archive.example.org/",)


def test_a_bucket_of_the_emulator_is_addressed_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    found = objects(monkeypatch, "us-east-1", "http://127.0.0.1:5000").addresses("photos")
    assert found == ("http://127.0.0.1:5000/photos/",)


def test_source_buckets_are_allowed_for_images_only() -> None:
    policy = content_security_policy("https://own.s3.amazonaws.com", ["https://photos.s3.amazonaws.com"])
    directives = dict(entry.split(" ", 1) for entry in policy.split("; "))
    assert directives["img-src"].split()[-2:] == ["https://own.s3.amazonaws.com", "https://photos.s3.amazonaws.com"]
    assert [name for name, value in directives.items() if "photos" in value] == ["img-src"]
