"""The objects of a bucket as work: how S3 lists them, and what the ledger says of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.operate.flow import Ended, Ending, read_items
from shared.aws.dynamodb import item_mapper
from shared.domain.errors import REFUSAL_CODES
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as S3 lists it."""

    key: str
    etag: str
    size: int


def listing(s3: "S3Client", bucket: str, prefix: str) -> Iterator[Listed]:
    """Every object below a prefix, page by page."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield Listed(entry["Key"], entry["ETag"].strip('"'), entry["Size"])


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
            known = _hopeless(listed) or (state and self._known(listed, state, listed.key in brought))
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


def _hopeless(listed: Listed) -> Ended | None:
    """How an object ends that need not be sent."""
    if listed.key.endswith("/") and listed.size == 0:
        return Ended(listed.key, Ending.SKIPPED)  # what consoles make to show a folder
    if listed.size > MAX_UPLOAD_BYTES:
        reason = f"{listed.size:,} bytes; at most {MAX_UPLOAD_BYTES:,} are taken."
        return Ended(listed.key, Ending.REJECTED, "too_large", reason)
    return None
