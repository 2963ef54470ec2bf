"""Where links lead, as the page's policy names it."""

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
def test_a_bucket_has_its_own_hosts_with_the_region_and_without(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    assert objects(monkeypatch, region).addresses("photos") == (
        f"https://photos.s3.{region}.amazonaws.com",
        "https://photos.s3.amazonaws.com",
    )


def test_a_bucket_with_dots_shares_a_host_and_has_a_folder_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = objects(monkeypatch, "eu-west-1").addresses("archive.example.org")
    assert found == ("https://s3.eu-west-1.amazonaws.com/archive.example.org/",)


def test_an_emulators_bucket_has_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    found = objects(monkeypatch, "us-east-1", "http://127.0.0.1:5000").addresses("photos")
    assert found == ("http://127.0.0.1:5000/photos/",)


def test_images_may_come_from_there_and_nothing_may_be_sent() -> None:
    policy = content_security_policy("https://own.s3.amazonaws.com", ["https://photos.s3.amazonaws.com"])
    directives = dict(entry.split(" ", 1) for entry in policy.split("; "))
    assert directives["img-src"].split()[-2:] == ["https://own.s3.amazonaws.com", "https://photos.s3.amazonaws.com"]
    assert [name for name, value in directives.items() if "photos" in value] == ["img-src"]
