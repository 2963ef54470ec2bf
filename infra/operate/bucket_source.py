"""The objects of a bucket as work: how S3 lists them, and what the ledger says of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from infra.operate.flow import Ended, Ending, read_items
from shared.aws.dynamodb import item_mapper
from shared.domain.errors import REFUSAL_CODES
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


ARCHIVES: Final = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read before they are restored. Those of `TIERED` may be archived too, which a
listing does not show: https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html"""
TIERED: Final = "INTELLIGENT_TIERING"


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as S3 lists it.

    Attributes:
        storage_class: S3's name of it.
        restored: whether an archived object has a copy that can be read.
        restoring: whether one is being made.
    """

    key: str
    etag: str
    size: int
    storage_class: str = "STANDARD"
    restored: bool = False
    restoring: bool = False

    @property
    def archived(self) -> bool:
        return self.storage_class in ARCHIVES and not self.restored


def listing(s3: "S3Client", bucket: str, prefix: str) -> Iterator[Listed]:
    """Every object below a prefix, page by page.

    S3 says nothing of the restoration of an object that was not restored:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html
    """
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    for page in pages:
        for entry in page.get("Contents", []):
            restoration = entry.get("RestoreStatus", {})
            restoring = restoration.get("IsRestoreInProgress", False)
            yield Listed(
                entry["Key"],
                entry["ETag"].strip('"'),
                entry["Size"],
                entry.get("StorageClass", "STANDARD"),
                restored="RestoreExpiryDate" in restoration and not restoring,
                restoring=restoring,
            )


class Objects:
    """Have the objects of a bucket indexed.

    Args:
        collection: where their images are to go; None leaves it to the objects' keys.
    """

    def __init__(self, client: "DynamoDBClient", table: str, bucket: str, collection: str | None) -> None:
        self._client = client
        self._table = table
        self._bucket = bucket
        self._collection = collection

    def admit(self, entries: Sequence[Listed]) -> Mapping[Listed, Ended | int]:
        states, brought = self._existing(entries)
        found: dict[Listed, Ended | int] = {}
        for listed in entries:
            state = states.get(listed.key)
            known = (
                _hopeless(listed)
                or (state and self._known(listed, state, listed.key in brought))
                or (None if state and _replaced(listed, state) else _archived(listed))
            )
            found[listed] = known or (state.revision if state else 0)
        return found

    def message(self, entry: Listed) -> Mapping[str, Any]:
        body = {"bucket": self._bucket, "key": entry.key}
        return body | ({"collection": self._collection} if self._collection else {})

    def ended(self, sent: Mapping[Listed, int]) -> Mapping[Listed, Ended]:
        states, brought = self._existing(list(sent))
        outcomes = {
            listed: self._outcome(listed, revision, states[listed.key], brought.get(listed.key))
            for listed, revision in sent.items()
            if listed.key in states
        }
        return {listed: outcome for listed, outcome in outcomes.items() if outcome}

    def name(self, entry: Listed) -> str:
        return entry.key

    def _existing(self, objects: Sequence[Listed]) -> tuple[dict[str, ObjectState], dict[str, bool]]:
        """The ledger's entries by key, and for those whose image is in the index, whether they brought it."""
        keys = [item_mapper.object_key(ObjectRef(self._bucket, listed.key)) for listed in objects]
        states = [item_mapper.to_object_state(item) for item in read_items(self._client, self._table, keys)]
        holders = {state.object.key: state.held for state in states if state.held}
        wanted = {
            image_key: item_mapper.record_key(image_key.image_id, image_key.collection)
            for image_key in holders.values()
        }
        held = read_items(self._client, self._table, list(wanted.values()), "pk, sk, image_id, brought_by")
        brought = {
            ImageKey(item_mapper.collection_of(item), item["image_id"]["S"]): item["brought_by"]["S"] for item in held
        }
        return {state.object.key: state for state in states}, {
            key: brought[image_key] == item_mapper.source_id(ObjectRef(self._bucket, key))
            for key, image_key in holders.items()
            if image_key in brought
        }

    def _fits(self, state: ObjectState) -> bool:
        return self._collection is None or (
            state.image_key is not None and state.image_key.collection == self._collection
        )

    def _known(self, listed: Listed, state: ObjectState, indexed: bool) -> Ended | None:
        """How an object ended before, if it has not changed since."""
        if state.etag != listed.etag:
            return None
        match state.status:
            case ObjectStatus.HELD if indexed and self._fits(state):
                return Ended(listed.key, Ending.SKIPPED)
            case ObjectStatus.REJECTED:
                return _rejected(listed, state)
            case ObjectStatus.DISMISSED:
                return Ended(listed.key, Ending.SKIPPED, "dismissed", "Its image was removed through the API.")
        return None

    def _outcome(self, listed: Listed, revision: int, state: ObjectState, brought: bool | None) -> Ended | None:
        touched = state.revision > revision
        match state.status:
            case ObjectStatus.HELD if touched and state.code:
                return _rejected(listed, state)
            case ObjectStatus.HELD if brought is not None and (
                touched or (state.etag == listed.etag and self._fits(state))
            ):
                return Ended(listed.key, Ending.INDEXED if brought else Ending.DUPLICATE)
            case ObjectStatus.REJECTED if touched or state.etag == listed.etag:
                return _rejected(listed, state)
            case ObjectStatus.REMOVED if touched:
                return Ended(listed.key, Ending.REJECTED, "gone", REFUSAL_CODES["gone"])
        return None


def _rejected(listed: Listed, state: ObjectState) -> Ended:
    return Ended(listed.key, Ending.REJECTED, state.code or "", state.reason or "")


def _replaced(listed: Listed, state: ObjectState) -> bool:
    """Whether the index still shows an image that the object does not hold any more."""
    return state.held is not None and state.etag != listed.etag


def _archived(listed: Listed) -> Ended | None:
    if not listed.archived:
        return None
    todo = "It is being restored; index it again then." if listed.restoring else "Restore it, then index it again."
    reason = f"The object is archived ({listed.storage_class}). {todo}"
    return Ended(listed.key, Ending.REJECTED, "archived", reason)


def _hopeless(listed: Listed) -> Ended | None:
    """How an object ends that need not be sent."""
    if listed.key.endswith("/") and listed.size == 0:
        return Ended(listed.key, Ending.SKIPPED)  # what consoles make to show a folder
    if listed.size > MAX_UPLOAD_BYTES:
        reason = f"{listed.size:,} bytes; at most {MAX_UPLOAD_BYTES:,} are taken."
        return Ended(listed.key, Ending.REJECTED, "too_large", reason)
    return None
