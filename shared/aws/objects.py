"""Images, signatures and thumbnails in S3."""

import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError

from shared.domain.errors import NotFound, PictureRefused, Unreadable
from shared.domain.images import REJECTED_TAG, ObjectRef
from shared.domain.limits import (
    LINK_EXPIRES_SECONDS,
    LINK_HALF_LIFE_SECONDS,
    MAX_UPLOAD_BYTES,
    UPLOAD_EXPIRES_SECONDS,
)
from shared.domain.ports.objects import Fetched

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LINKS_KEPT: Final = 2048
"""Signed links that a process keeps, about 1.5 KB each."""

_ABSENT = {"NoSuchKey", "404", "NoSuchBucket", "NoSuchVersion"}

_UNUSABLE_KEY: Final = {"KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"}
"""What S3 answers where the KMS key of an object is disabled, about to be deleted, or gone."""

_COMPRESSED: Final = {"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz"}
"""Content encodings whose bytes are not those of the file (IANA's registry of HTTP content codings). Other values, such
as `aws-chunked` or `utf-8`, are left behind by clients and change nothing."""


def _is_absent(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _ABSENT


class S3Objects:
    """The objects of one bucket; `read` also reaches other buckets that the role may read."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._signed = lru_cache(maxsize=LINKS_KEPT)(self._sign)

    @property
    def origin(self) -> str:
        """The scheme and host of presigned URLs, for a Content-Security-Policy."""
        parts = urlsplit(self.link(ObjectRef(self._bucket, "any"), "image/png"))
        return f"{parts.scheme}://{parts.netloc}"

    def addresses(self, bucket: str) -> tuple[str, ...]:
        """Where links to a bucket lead, as sources of a Content-Security-Policy that have nothing of other buckets.

        A bucket has a host of its own, with its region's name and without (S3 may redirect from one to the other);
        one with dots in its name, for which S3's certificate does not hold, and one of an emulator have a folder.
        """
        parts = urlsplit(self.link(ObjectRef(bucket, "any"), "image/png"))
        host = f"{parts.scheme}://{parts.netloc}"
        if not parts.netloc.startswith(f"{bucket}."):
            return (f"{host}/{bucket}/",)
        region = self._client.meta.region_name
        suffix = parts.netloc.removeprefix(f"{bucket}.s3.").removeprefix(f"{region}.")
        return tuple(f"{parts.scheme}://{bucket}.s3.{place}{suffix}" for place in (f"{region}.", ""))

    def read(self, source: ObjectRef, limit: int, reserve: Callable[[int], None] | None = None) -> Fetched:
        """Read an object; return its bytes with their ETag and version.

        Raises:
            PictureRefused: `gone` if the object does not exist, `too_large` if it has more than `limit` bytes,
                `content_encoding` if it is compressed (in both cases before any byte is read).
            Unreadable: `archived`, `customer_key`, or, in another bucket, `access_denied`.
        """
        try:
            answer = self._client.get_object(**_locator(source))
        except ClientError as error:
            if _is_absent(error):
                raise PictureRefused("gone", "The object was removed before it could be read.") from error
            unreadable = _unreadable(error, ours=source.bucket == self._bucket)
            if unreadable:
                raise unreadable from error
            raise
        with answer["Body"] as body:
            if encoding := _compression(answer.get("ContentEncoding", "")):
                raise PictureRefused(
                    "content_encoding",
                    f"The object is stored compressed (Content-Encoding: {encoding}). Store the image file itself.",
                )
            if answer["ContentLength"] > limit:
                raise PictureRefused(
                    "too_large", f"The file has {answer['ContentLength']:,} bytes; at most {limit:,} are accepted."
                )
            if reserve:
                reserve(answer["ContentLength"])
            data: bytes = body.read()
        version = answer.get("VersionId")
        return Fetched(data, answer["ETag"].strip('"'), None if version == "null" else version)

    def present(self, source: ObjectRef) -> bool:
        """Return whether the object exists now, in any version."""
        return self._head(source.bucket, source.key)

    def etag(self, source: ObjectRef) -> str | None:
        """The ETag of an object, archived ones included; None where S3 does not show it."""
        try:
            return self._client.head_object(**_locator(source))["ETag"].strip('"')
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return None

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key` in this bucket, or None."""
        try:
            with self._client.get_object(Bucket=self._bucket, Key=key)["Body"] as body:
                data: bytes = body.read()
        except ClientError as error:
            if _is_absent(error):
                return None
            raise
        return data

    def write(self, key: str, data: bytes, media_type: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=media_type)

    def exists(self, key: str) -> bool:
        return self._head(self._bucket, key)

    def _head(self, bucket: str, key: str) -> bool:
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _is_absent(error):
                return False
            raise
        return True

    def delete(self, key: str, version: str | None = None) -> None:
        """Delete an object of this bucket; deleting one that does not exist is not an error."""
        extra: Any = {"VersionId": version} if version else {}
        self._client.delete_object(Bucket=self._bucket, Key=key, **extra)

    def mark_rejected(self, source: ObjectRef) -> None:
        """Tag a refused upload so that the bucket's lifecycle deletes it; leave objects in other buckets alone."""
        if source.bucket != self._bucket:
            return
        name, value = REJECTED_TAG
        try:
            self._client.put_object_tagging(**_locator(source), Tagging={"TagSet": [{"Key": name, "Value": value}]})
        except ClientError as error:
            if not _is_absent(error):
                raise

    def link(self, source: ObjectRef, media_type: str, download_as: str | None = None) -> str:
        """Return a presigned URL that shows an image, with `media_type` and never the type that the sender claimed.

        With `download_as`, browsers save it under this name (RFC 6266, with the encoding of RFC 8187).
        """
        disposition = "inline" if download_as is None else f"attachment; filename*=UTF-8''{quote(download_as, safe='')}"
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                **_locator(source),
                "ResponseContentType": media_type,
                "ResponseContentDisposition": disposition,
                "ResponseCacheControl": "private, max-age=3600",
            },
            ExpiresIn=LINK_EXPIRES_SECONDS,
        )

    def lasting_link(self, key: str, media_type: str) -> str:
        """A presigned URL of an object of this bucket, whether or not it is there.

        It stays the same for half of its life, so that a browser finds in its cache what an earlier page showed, and
        works for `LINK_HALF_LIFE_SECONDS` at least.
        """
        return self._signed(key, media_type, int(time.time() // LINK_HALF_LIFE_SECONDS))

    def _sign(self, key: str, media_type: str, _period: int) -> str:
        return self.link(ObjectRef(self._bucket, key), media_type)

    def open_upload(self, key: str, media_type: str) -> tuple[str, dict[str, str]]:
        """Return URL and fields of a presigned POST that accepts one image, with this key and media type only."""
        form = self._client.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": media_type},
            Conditions=[{"Content-Type": media_type}, ["content-length-range", 1, MAX_UPLOAD_BYTES]],
            ExpiresIn=UPLOAD_EXPIRES_SECONDS,
        )
        return form["url"], form["fields"]


def _unreadable(error: ClientError, *, ours: bool) -> Unreadable | None:
    """What keeps an object's bytes from everybody who asks as we do, or None for a fault that may pass by itself.

    A right on our own bucket that is missing is a fault of the deployment, which somebody has to hear of.
    """
    answer: Any = error.response["Error"]
    match answer["Code"]:
        case "InvalidObjectState":
            where = answer.get("AccessTier") or answer.get("StorageClass") or "an archive storage class"
            return Unreadable("archived", f"The object is archived ({where}). Restore it, then index it again.")
        case "InvalidRequest":
            return Unreadable(
                "customer_key",
                "The object is encrypted with a key that S3 does not keep (SSE-C). Only its owner can read it.",
            )
        case "AccessDenied" if not ours:
            return Unreadable(
                "access_denied",
                "S3 denies access to the object, or to the KMS key that encrypts it. Grant it, then index it again.",
            )
        case code if code in _UNUSABLE_KEY and not ours:
            return Unreadable(
                "access_denied", f"The KMS key that encrypts the object cannot be used ({code.removeprefix('KMS.')})."
            )
    return None


def _compression(content_encoding: str) -> str:
    """The compressions among an object's content encodings, or nothing."""
    named = [name.strip().lower() for name in content_encoding.split(",")]
    return ", ".join(name for name in named if name in _COMPRESSED)


def _locator(source: ObjectRef) -> Any:
    if not source.key:
        raise NotFound("the object's key is empty")
    where: dict[str, str] = {"Bucket": source.bucket, "Key": source.key}
    if source.version:
        where["VersionId"] = source.version
    return where
