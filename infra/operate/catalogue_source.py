"""The catalogue as a source of work: its images, and which of them a model has not described yet."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.operate.flow import BATCH_GET_SIZE, EntryResult, Outcome
from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.batches import batch_get, projection
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import LISTING_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CatalogueImage:
    """An image in a collection, and the model of its record."""

    image_key: ImageKey
    model: str


class CatalogueSource:
    """The catalogue's images, to be described by a model."""

    def __init__(self, client: "DynamoDBClient", table: str, model: str) -> None:
        self._client = client
        self._table = table
        self._model = model

    def list_images(self) -> Iterator[CatalogueImage]:
        """Yield every image of every collection, from the index of small items that lists them."""
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            ProjectionExpression="pk, sk, image_id, #model",
            ExpressionAttributeNames={"#model": "model"},
        ):
            for item in page["Items"]:
                image_key = ImageKey(item_keys.collection_of(item), item["image_id"]["S"])
                yield CatalogueImage(image_key, item["model"]["S"])

    def survey(self, entries: Iterable[CatalogueImage]) -> tuple[Counter[str], int]:
        """Count the records of each model, and the images that this model has not described yet."""
        models: Counter[str] = Counter()
        missing = 0
        remaining = iter(entries)
        while chunk := list(itertools.islice(remaining, BATCH_GET_SIZE)):
            models.update(entry.model for entry in chunk)
            missing += sum(isinstance(result, int) for result in self.plan(chunk).values())
        return models, missing

    def plan(self, entries: Sequence[CatalogueImage]) -> Mapping[CatalogueImage, EntryResult | int]:
        described = self._described([entry for entry in entries if entry.model != self._model])
        refusals = self._refusals([entry for entry in entries if entry.image_key not in described])
        return {
            entry: EntryResult(self.name(entry), Outcome.SKIPPED)
            if entry.model == self._model or entry.image_key in described
            else _revision(refusals.get(entry.image_key))
            for entry in entries
        }

    def message(self, entry: CatalogueImage) -> Mapping[str, Any]:
        image_key = entry.image_key
        return {"image_id": image_key.image_id, "collection": image_key.collection, "model": self._model}

    def results(self, sent: Mapping[CatalogueImage, int]) -> Mapping[CatalogueImage, EntryResult]:
        described = self._described(list(sent))
        done = {entry: EntryResult(self.name(entry), Outcome.INDEXED) for entry in sent if entry.image_key in described}
        refusals = self._refusals([entry for entry in sent if entry not in done])
        done |= {
            entry: EntryResult(self.name(entry), Outcome.REJECTED, refusal["code"]["S"], refusal["reason"]["S"])
            for entry, revision in sent.items()
            if _revision(refusal := refusals.get(entry.image_key)) > revision and refusal
        }
        others = [entry for entry in sent if entry not in done]
        models = self._record_models(others)
        for entry in others:
            model = models.get(entry.image_key)
            if model is None:  # deleted in the meantime
                done[entry] = EntryResult(self.name(entry), Outcome.SKIPPED)
            elif model == self._model:  # indexed again since this model is the active one
                done[entry] = EntryResult(self.name(entry), Outcome.INDEXED)
        return done

    def name(self, entry: CatalogueImage) -> str:
        return f"{entry.image_key.collection}/{entry.image_key.image_id}"

    def _described(self, entries: Sequence[CatalogueImage]) -> set[ImageKey]:
        return self._read(
            [
                item_keys.vectors_key(entry.image_key.image_id, entry.image_key.collection, self._model)
                for entry in entries
            ]
        )

    def _refusals(self, entries: Sequence[CatalogueImage]) -> dict[ImageKey, Any]:
        keys = [
            item_keys.refusal_key(entry.image_key.image_id, entry.image_key.collection, self._model)
            for entry in entries
        ]
        return {
            ImageKey(item_keys.collection_of(item), item["image_id"]["S"]): item
            for item in batch_get(self._client, self._table, keys, consistent=False)
        }

    def _record_models(self, entries: Sequence[CatalogueImage]) -> dict[ImageKey, str]:
        keys: list[Any] = [
            item_keys.record_key(entry.image_key.image_id, entry.image_key.collection) for entry in entries
        ]
        items = batch_get(self._client, self._table, keys, projection("sk", "image_id", "model"), consistent=False)
        return {ImageKey(item_keys.collection_of(item), item["image_id"]["S"]): item["model"]["S"] for item in items}

    def _read(self, keys: list[Any]) -> set[ImageKey]:
        items = batch_get(self._client, self._table, keys, projection("sk", "image_id"), consistent=False)
        return {ImageKey(item_keys.collection_of(item), item["image_id"]["S"]) for item in items}


def _revision(refusal: Any) -> int:
    return int(refusal["revision"]["N"]) if refusal else 0
