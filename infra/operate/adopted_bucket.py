"""The settings that `adopt` gives to a bucket, and those that the bucket has until then."""

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError

from infra import bucket_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

S3_KEY: Final = "alias/aws/s3"
"""The key that AWS manages for S3, which everybody who may use the bucket may use by it."""
UNUSABLE: Final = "for which the functions have no rights, so that each upload to it would fail."
OR_ELSE: Final = "or deploy without existing_bucket and index it as a source bucket (docs/guides/existing-buckets.md)."
ABSENT: Final = ("NoSuchBucketPolicy", "NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration")


@dataclass(frozen=True, slots=True)
class BucketSetting:
    """One setting of a bucket.

    Attributes:
        what: the setting that is wanted, in words.
        name: that of the setting in the calls of S3's API, such as `cors` in PutBucketCors.
        wanted: the parameters of the call that makes it.
        earlier: the parameters of the call that would make the setting that it replaces; None if it replaces none.
    """

    what: str
    name: str
    wanted: Mapping[str, Any]
    earlier: Mapping[str, Any] | None

    def describe(self) -> str:
        return f"{self.wanted['Bucket']}: {self.what}" + ("; replaces another setting" if self.earlier else "")

    def put(self) -> None:
        getattr(boto3.client("s3"), f"put_bucket_{self.name}")(**self.wanted)

    def save_earlier(self, folder: Path) -> str:
        """Write the setting that is replaced to a new file, and return the command that puts it back.

        Raises:
            LookupError: the file cannot be written.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = folder / f"{self.wanted['Bucket']}-{self.name.replace('_', '-')}-{stamp}.json"
        try:
            with path.open("x", encoding="utf-8") as file:
                json.dump(self.earlier, file, indent=2)
        except OSError as error:
            raise LookupError(
                f"{path} cannot be written ({error.strerror}), so no setting was replaced. Run the command in a folder "
                "in which it can save the earlier settings."
            ) from error
        return f"aws s3api put-bucket-{self.name.replace('_', '-')} --cli-input-json {shlex.quote(f'file://{path.absolute()}')}"


def bucket_setting_list(bucket: str, properties: Mapping[str, Any], policy: Mapping[str, Any]) -> list[BucketSetting]:
    """Return the settings that a template's properties and policy give to a bucket.

    Raises:
        LookupError: the bucket keeps versions or encrypts with a key of the account's own, for which the functions have
            no rights, so that every upload would fail.
    """
    s3 = boto3.client("s3")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        raise LookupError(f"{bucket} keeps versions, {UNUSABLE} Suspend its versioning, {OR_ELSE}")
    if key := _own_key(s3, bucket):
        raise LookupError(f"{bucket} encrypts with {key}, {UNUSABLE} Let it encrypt with S3's own keys, {OR_ELSE}")
    return [
        _setting(
            s3,
            "notify the stack's queue of uploads and removals, and nothing else",
            "notification_configuration",
            {"Bucket": bucket, "NotificationConfiguration": bucket_settings.notifications(properties)},
        ),
        _setting(
            s3,
            "let the stack's page upload (CORS)",
            "cors",
            {"Bucket": bucket, "CORSConfiguration": bucket_settings.cors(properties)},
        ),
        _setting(
            s3,
            "expire unfinished and rejected uploads (lifecycle)",
            "lifecycle_configuration",
            {"Bucket": bucket, "LifecycleConfiguration": bucket_settings.lifecycle(properties)},
        ),
        _setting(
            s3, "refuse requests without TLS (policy)", "policy", {"Bucket": bucket, "Policy": json.dumps(policy)}
        ),
    ]


def _own_key(s3: "S3Client", bucket: str) -> str | None:
    """Return the KMS key, other than that of S3 itself, with which a bucket encrypts new objects."""
    try:
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ServerSideEncryptionConfigurationNotFoundError":
            return None
        raise
    keys = (rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", S3_KEY) for rule in rules)
    return next((key for key in keys if not key.endswith(S3_KEY)), None)


def _setting(s3: "S3Client", what: str, name: str, wanted: Mapping[str, Any]) -> BucketSetting:
    earlier = _earlier(s3, name, wanted)
    return BucketSetting(what, name, wanted, earlier if earlier and differ(earlier, wanted) else None)


def _earlier(s3: "S3Client", name: str, wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the parameters of the call that makes the present setting; None if there is none."""
    bucket, parameter = wanted
    try:
        found: dict[str, Any] = getattr(s3, f"get_bucket_{name}")(Bucket=wanted[bucket])
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    del found["ResponseMetadata"]
    if not found:
        return None
    if parameter in found:  # the policy, as text
        return {bucket: wanted[bucket], parameter: found[parameter]}
    beside = {each: found.pop(each) for each in ("TransitionDefaultMinimumObjectSize",) if each in found}
    return {bucket: wanted[bucket], parameter: found, **beside}


def differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two settings differ in more than S3 itself changes: ids, order, capital letters of filters."""
    return bool(_plain(one) != _plain(other))


def _plain(value: Any, name: str = "") -> Any:
    match value:
        case {"Name": str(rule), "Value": str(held)}:
            return [rule.lower(), held]
        case dict():
            added = ("Id", "TransitionDefaultMinimumObjectSize")
            return {each: _plain(inner, each) for each, inner in value.items() if each not in added}
        case list():
            return sorted((_plain(inner) for inner in value), key=lambda part: json.dumps(part, sort_keys=True))
        case str() if name == "Policy":
            return _plain(json.loads(value))
        case _:
            return value
