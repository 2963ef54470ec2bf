"""The images of the catalogue as work: which of them a model has still to describe."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.operate.flow import AT_ONCE, Ended, Ending, read_items
from shared.aws.dynamodb import item_mapper
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import LISTING_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Recorded:
    """An image in a collection, and the model of its record."""

    image_key: ImageKey
    model: str


class Images:
    """Have the catalogue's images described by a model."""

    def __init__(self, client: "DynamoDBClient", table: str, model: str) -> None:
        self._client = client
        self._table = table
        self._model = model

    def every(self) -> Iterator[Recorded]:
        """Every image of every collection, from the index of small items that lists them."""
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            ProjectionExpression="pk, sk, image_id, #model",
            ExpressionAttributeNames={"#model": "model"},
        ):
            for item in page["Items"]:
                held = ImageKey(item_mapper.collection_of(item), item["image_id"]["S"])
                yield Recorded(held, item["model"]["S"])

    def survey(self, entries: Iterable[Recorded]) -> tuple[Counter[str], int]:
        """How many images have a record of each model, and how many the model has still to describe."""
        models: Counter[str] = Counter()
        missing = 0
        remaining = iter(entries)
        while chunk := list(itertools.islice(remaining, AT_ONCE)):
            models.update(entry.model for entry in chunk)
            missing += sum(isinstance(known, int) for known in self.admit(chunk).values())
        return models, missing

    def admit(self, entries: Sequence[Recorded]) -> Mapping[Recorded, Ended | int]:
        described = self._described([entry for entry in entries if entry.model != self._model])
        return {
            entry: Ended(self.name(entry), Ending.SKIPPED)
            if entry.model == self._model or entry.image_key in described
            else 0
            for entry in entries
        }

    def message(self, entry: Recorded) -> Mapping[str, Any]:
        image_key = entry.image_key
        return {"image_id": image_key.image_id, "collection": image_key.collection, "model": self._model}

    def ended(self, sent: Mapping[Recorded, int]) -> Mapping[Recorded, Ended]:
        described = self._described(list(sent))
        done = {entry: Ended(self.name(entry), Ending.INDEXED) for entry in sent if entry.image_key in described}
        others = [entry for entry in sent if entry not in done]
        there = self._existing(others)
        gone = [entry for entry in others if entry.image_key not in there]
        return done | {entry: Ended(self.name(entry), Ending.SKIPPED) for entry in gone}

    def name(self, entry: Recorded) -> str:
        return f"{entry.image_key.collection}/{entry.image_key.image_id}"

    def _described(self, entries: Sequence[Recorded]) -> set[ImageKey]:
        return self._read(
            [
                item_mapper.vectors_key(entry.image_key.image_id, entry.image_key.collection, self._model)
                for entry in entries
            ]
        )

    def _existing(self, entries: Sequence[Recorded]) -> set[ImageKey]:
        return self._read(
            [item_mapper.record_key(entry.image_key.image_id, entry.image_key.collection) for entry in entries]
        )

    def _read(self, keys: list[Any]) -> set[ImageKey]:
        items = read_items(self._client, self._table, keys, "sk, image_id")
        return {ImageKey(item_mapper.collection_of(item), item["image_id"]["S"]) for item in items}
