"""A bucket as a source of work: its objects as S3 lists them, and the state of each in the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from infra.operate.flow import EntryResult, Outcome
from shared.aws.dynamodb import item_keys, item_mapper
from shared.aws.dynamodb.batches import batch_get, projection
from shared.domain.errors import REFUSAL_CODES
from shared.domain.images import ObjectRef, source_id
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


ARCHIVE_CLASSES: Final = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read before they are restored. Objects in `INTELLIGENT_TIERING` may be
archived too, but a listing does not show it:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html"""
INTELLIGENT_TIERING: Final = "INTELLIGENT_TIERING"


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as S3 lists it.

    Attributes:
        storage_class: as S3 names it.
        restored: whether an archived object has a readable copy.
        restoring: whether such a copy is being made.
    """

    key: str
    etag: str
    size: int
    storage_class: str = "STANDARD"
    restored: bool = False
    restoring: bool = False

    @property
    def archived(self) -> bool:
        return self.storage_class in ARCHIVE_CLASSES and not self.restored


def list_objects(s3: "S3Client", bucket: str, prefix: str) -> Iterator[ListedObject]:
    """Yield every object below a prefix, page by page.

    S3 omits `RestoreStatus` for an object that was never restored:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html
    """
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    for page in pages:
        for entry in page.get("Contents", []):
            restoration = entry.get("RestoreStatus", {})
            restoring = restoration.get("IsRestoreInProgress", False)
            yield ListedObject(
                entry["Key"],
                entry["ETag"].strip('"'),
                entry["Size"],
                entry.get("StorageClass", "STANDARD"),
                restored="RestoreExpiryDate" in restoration and not restoring,
                restoring=restoring,
            )


class BucketSource:
    """The objects of a bucket, to be indexed.

    Args:
        collection: where their images go; None leaves it to the objects' keys.
    """

    def __init__(self, client: "DynamoDBClient", table: str, bucket: str, collection: str | None) -> None:
        self._client = client
        self._table = table
        self._bucket = bucket
        self._collection = collection

    def plan(self, entries: Sequence[ListedObject]) -> Mapping[ListedObject, EntryResult | int]:
        states, first_sources = self._read_states(entries)
        planned: dict[ListedObject, EntryResult | int] = {}
        for listed in entries:
            state = states.get(listed.key)
            result = (
                _result_from_listing(listed)
                or (state and self._earlier_result(listed, state, indexed=listed.key in first_sources))
                or (None if state and _is_replaced(listed, state) else _archived_result(listed))
            )
            planned[listed] = result or (state.revision if state else 0)
        return planned

    def message(self, entry: ListedObject) -> Mapping[str, Any]:
        body = {"bucket": self._bucket, "key": entry.key}
        return body | ({"collection": self._collection} if self._collection else {})

    def results(self, sent: Mapping[ListedObject, int]) -> Mapping[ListedObject, EntryResult]:
        states, first_sources = self._read_states(list(sent))
        results = {
            listed: self._result(listed, revision, states[listed.key], first_sources.get(listed.key))
            for listed, revision in sent.items()
            if listed.key in states
        }
        return {listed: result for listed, result in results.items() if result}

    def name(self, entry: ListedObject) -> str:
        return entry.key

    def _read_states(self, objects: Sequence[ListedObject]) -> tuple[dict[str, ObjectState], dict[str, bool]]:
        """Return the ledger's entries by key and, for each whose image is indexed, whether it is the first source."""
        keys = [item_keys.object_key(ObjectRef(self._bucket, listed.key)) for listed in objects]
        items = batch_get(self._client, self._table, keys, consistent=False)
        states = [item_mapper.to_object_state(item) for item in items]
        holders = {state.object.key: state.held for state in states if state.held}
        wanted = {
            image_key: item_keys.record_key(image_key.image_id, image_key.collection) for image_key in holders.values()
        }
        shown = projection("pk", "sk", "image_id", "brought_by")
        held = batch_get(self._client, self._table, list(wanted.values()), shown, consistent=False)
        first_sources = {
            ImageKey(item_keys.collection_of(item), item["image_id"]["S"]): item["brought_by"]["S"] for item in held
        }
        return {state.object.key: state for state in states}, {
            key: first_sources[image_key] == source_id(ObjectRef(self._bucket, key))
            for key, image_key in holders.items()
            if image_key in first_sources
        }

    def _in_requested_collection(self, state: ObjectState) -> bool:
        return self._collection is None or (
            state.image_key is not None and state.image_key.collection == self._collection
        )

    def _earlier_result(self, listed: ListedObject, state: ObjectState, *, indexed: bool) -> EntryResult | None:
        """Return the result of an earlier run, unless the object has changed since."""
        if state.etag != listed.etag:
            return None
        match state.status:
            case ObjectStatus.HELD if indexed and self._in_requested_collection(state):
                return EntryResult(listed.key, Outcome.SKIPPED)
            case ObjectStatus.REJECTED:
                return _rejected_result(listed, state)
            case ObjectStatus.DISMISSED:
                return EntryResult(listed.key, Outcome.SKIPPED, "dismissed", "Its image was removed through the API.")
        return None

    def _result(
        self, listed: ListedObject, revision: int, state: ObjectState, is_first_source: bool | None
    ) -> EntryResult | None:
        changed = state.revision > revision
        match state.status:
            case ObjectStatus.HELD if changed and state.code:
                return _rejected_result(listed, state)
            case ObjectStatus.HELD if is_first_source is not None and (
                changed or (state.etag == listed.etag and self._in_requested_collection(state))
            ):
                return EntryResult(listed.key, Outcome.INDEXED if is_first_source else Outcome.DUPLICATE)
            case ObjectStatus.REJECTED if changed or state.etag == listed.etag:
                return _rejected_result(listed, state)
            case ObjectStatus.REMOVED if changed:
                return EntryResult(listed.key, Outcome.REJECTED, "gone", REFUSAL_CODES["gone"])
        return None


def _rejected_result(listed: ListedObject, state: ObjectState) -> EntryResult:
    return EntryResult(listed.key, Outcome.REJECTED, state.code or "", state.reason or "")


def _is_replaced(listed: ListedObject, state: ObjectState) -> bool:
    """Return whether the index still shows an image that the object no longer holds."""
    return state.held is not None and state.etag != listed.etag


def _archived_result(listed: ListedObject) -> EntryResult | None:
    if not listed.archived:
        return None
    advice = "It is being restored: index it afterwards." if listed.restoring else "Restore it, then index it again."
    reason = f"The object is archived ({listed.storage_class}). {advice}"
    return EntryResult(listed.key, Outcome.REJECTED, "archived", reason)


def _result_from_listing(listed: ListedObject) -> EntryResult | None:
    """Return the result of an object that need not be sent."""
    if listed.key.endswith("/") and listed.size == 0:
        return EntryResult(listed.key, Outcome.SKIPPED)  # consoles create these to show a folder
    if listed.size > MAX_UPLOAD_BYTES:
        reason = f"{listed.size:,} bytes; at most {MAX_UPLOAD_BYTES:,} are accepted."
        return EntryResult(listed.key, Outcome.REJECTED, "too_large", reason)
    return None
