"""The images whose records lack something that needs no model but the one that they have, as a source of work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infra.operate.catalogue_source import CatalogueImage
from infra.operate.flow import EntryResult, Outcome
from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.batches import batch_get, projection
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import LISTING_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class IncompleteSource:
    """The images that are not complete; reindexing one by the model that it has completes it.

    Args:
        is_complete: tells from the attribute `format` of an image's item.
    """

    def __init__(self, client: "DynamoDBClient", table: str, is_complete: Callable[[item_keys.Item], bool]) -> None:
        self._client = client
        self._table = table
        self._is_complete = is_complete

    def list_images(self) -> Iterator[CatalogueImage]:
        """Yield the images that are not complete."""
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            ProjectionExpression="sk, image_id, #model, #format",
            ExpressionAttributeNames={"#model": "model", "#format": "format"},
        ):
            for item in page["Items"]:
                if not self._is_complete(item):
                    image_key = ImageKey(item_keys.collection_of(item), item["image_id"]["S"])
                    yield CatalogueImage(image_key, item["model"]["S"])

    def plan(self, entries: Sequence[CatalogueImage]) -> Mapping[CatalogueImage, EntryResult | int]:
        refusals = self._refusals(entries)
        return {entry: refusals.get(entry.image_key, (0, "", ""))[0] for entry in entries}

    def message(self, entry: CatalogueImage) -> Mapping[str, Any]:
        return {
            "image_id": entry.image_key.image_id,
            "collection": entry.image_key.collection,
            "model": entry.model,
        }

    def results(self, sent: Mapping[CatalogueImage, int]) -> Mapping[CatalogueImage, EntryResult]:
        keys = [item_keys.record_key(entry.image_key.image_id, entry.image_key.collection) for entry in sent]
        shown = projection("sk", "image_id", "format")
        found = {
            ImageKey(item_keys.collection_of(item), item["image_id"]["S"]): self._is_complete(item)
            for item in batch_get(self._client, self._table, keys, shown, consistent=False)
        }
        refusals = self._refusals(list(sent))
        done: dict[CatalogueImage, EntryResult] = {}
        for entry, revision in sent.items():
            refused, code, reason = refusals.get(entry.image_key, (0, "", ""))
            match found.get(entry.image_key):
                case True:
                    done[entry] = EntryResult(self.name(entry), Outcome.INDEXED)
                case None:  # deleted in the meantime
                    done[entry] = EntryResult(self.name(entry), Outcome.SKIPPED)
                case False if refused > revision:
                    done[entry] = EntryResult(self.name(entry), Outcome.REJECTED, code, reason)
        return done

    def name(self, entry: CatalogueImage) -> str:
        return f"{entry.image_key.collection}/{entry.image_key.image_id}"

    def _refusals(self, entries: Sequence[CatalogueImage]) -> dict[ImageKey, tuple[int, str, str]]:
        """Return how often each image could not be read, with the last code and reason."""
        keys = [
            item_keys.refusal_key(entry.image_key.image_id, entry.image_key.collection, entry.model)
            for entry in entries
        ]
        return {
            ImageKey(item_keys.collection_of(item), item["image_id"]["S"]): (
                int(item["revision"]["N"]),
                item["code"]["S"],
                item["reason"]["S"],
            )
            for item in batch_get(self._client, self._table, keys, consistent=False)
        }
