"""The pictures of the catalogue as work: which of them a model has still to describe."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.operate.flow import AT_ONCE, Ended, Ending, read_items
from shared.aws.dynamodb import item_mapper
from shared.domain.ledger import Holding
from shared.domain.table_schema import LISTING_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Recorded:
    """A picture in a collection, and the model of its record."""

    holding: Holding
    model: str


class Pictures:
    """Have the catalogue's pictures described by a model."""

    def __init__(self, client: "DynamoDBClient", table: str, model: str) -> None:
        self._client = client
        self._table = table
        self._model = model

    def every(self) -> Iterator[Recorded]:
        """Every picture of every collection, from the index of small items that lists them."""
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table,
            IndexName=LISTING_INDEX,
            ProjectionExpression="pk, sk, image_id, #model",
            ExpressionAttributeNames={"#model": "model"},
        ):
            for item in page["Items"]:
                held = Holding(item_mapper.collection_of(item), item["image_id"]["S"])
                yield Recorded(held, item["model"]["S"])

    def survey(self, entries: Iterable[Recorded]) -> tuple[Counter[str], int]:
        """How many pictures have a record of each model, and how many the model has still to describe."""
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
            if entry.model == self._model or entry.holding in described
            else 0
            for entry in entries
        }

    def message(self, entry: Recorded) -> Mapping[str, Any]:
        holding = entry.holding
        return {"image_id": holding.image_id, "collection": holding.collection, "model": self._model}

    def ended(self, sent: Mapping[Recorded, int]) -> Mapping[Recorded, Ended]:
        described = self._described(list(sent))
        done = {entry: Ended(self.name(entry), Ending.INDEXED) for entry in sent if entry.holding in described}
        others = [entry for entry in sent if entry not in done]
        there = self._standing(others)
        gone = [entry for entry in others if entry.holding not in there]
        return done | {entry: Ended(self.name(entry), Ending.SKIPPED) for entry in gone}

    def name(self, entry: Recorded) -> str:
        return f"{entry.holding.collection}/{entry.holding.image_id}"

    def _described(self, entries: Sequence[Recorded]) -> set[Holding]:
        return self._read(
            [
                item_mapper.vectors_key(entry.holding.image_id, entry.holding.collection, self._model)
                for entry in entries
            ]
        )

    def _standing(self, entries: Sequence[Recorded]) -> set[Holding]:
        return self._read(
            [item_mapper.record_key(entry.holding.image_id, entry.holding.collection) for entry in entries]
        )

    def _read(self, keys: list[Any]) -> set[Holding]:
        items = read_items(self._client, self._table, keys, "sk, image_id")
        return {Holding(item_mapper.collection_of(item), item["image_id"]["S"]) for item in items}
