"""The catalogue in DynamoDB: records, features and sources of images."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import format_attribute, item_keys, item_mapper
from shared.aws.dynamodb.albums import DynamoAlbums
from shared.aws.dynamodb.batches import batch_get, projection
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.listing import ANNOTATED_NAMES, DynamoListing
from shared.aws.dynamodb.record_writes import annotation_update, store_record
from shared.aws.dynamodb.secondary_vectors import DynamoSecondaryVectors
from shared.aws.dynamodb.transactions import commit
from shared.aws.dynamodb.vector_search import DynamoVectorSearch
from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.features import FeatureVector, LocalVector
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, source_id
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import DEFAULT_COLLECTION, MAX_SOURCES_SHOWN
from shared.domain.perceptual_hashes import HashKind, HashPage, Pdq
from shared.domain.ports.catalogue import Occurrences
from shared.domain.ports.indexes import Candidates
from shared.domain.table_schema import (
    ANNOTATIONS,
    LISTING_INDEX,
    LISTING_PARTITION,
    TAKEN_SORT,
    TRASHED_AT,
)
from shared.domain.tags import TagCounts, TagDecisions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COUNT_PAGES: Final = 10
"""Maximum number of pages of 1 MB that a count reads; a page holds about 3,000 images."""


class DynamoCatalogue:
    """The catalogue in one table.

    An image's partition `image#<image_id>` holds one record for each collection and one small item for each object
    with its bytes. So an image may have any number of sources, and adding one costs one write unit.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._search = DynamoVectorSearch(client, table)
        self._secondary = DynamoSecondaryVectors(client, table)
        self._collections = DynamoCollections(client, table)
        self._albums = DynamoAlbums(client, table)
        self._listing = DynamoListing(client, table, self.existing, self._albums.members)

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        """Store an image's record; see `shared.domain.ports.catalogue.Catalogue`."""
        for other in secondary:
            self.add_secondary(other)
        image_key = ImageKey(image.record.collection, image.record.image_id)
        known = Annotations(tags=self._tag_decisions(image_key))
        record = replace(image.record, annotations=known)
        self._collections.register(record.collection)
        return store_record(self._client, self._table, replace(image, record=record), source)

    def _tag_decisions(self, image_key: ImageKey) -> TagDecisions:
        return item_mapper.to_decisions(
            self._client.get_item(TableName=self._table, Key=item_keys.tags_key(image_key), ConsistentRead=True).get(
                "Item"
            )
        )

    def add_secondary(self, image: IndexedImage) -> None:
        """Store the vectors of a model other than the record's."""
        self._secondary.put(image)

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        """Return whether `source` was the first to bring an image; None unless it has the vectors of all `models`."""
        held = self._described(image_key, models)
        return None if held is None else bool(held["brought_by"]["S"] == source_id(source))

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        """Return whether an image is stored with the vectors of all `models`."""
        return self._described(image_key, models) is not None

    def _described(self, image_key: ImageKey, models: Sequence[str]) -> Any:
        held = self._client.get_item(
            TableName=self._table,
            Key=item_keys.record_key(image_key.image_id, image_key.collection),
            ProjectionExpression="#model, brought_by, trashed_at",
            ExpressionAttributeNames={"#model": "model"},
            ConsistentRead=True,
        ).get("Item")
        if held and TRASHED_AT in held:
            return held  # the vectors of secondary models are added when it is restored
        if held and all(held["model"]["S"] == model or self._secondary.has(image_key, model) for model in models):
            return held
        return None

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None:
        """Return the record of an image with up to `MAX_SOURCES_SHOWN` of its sources, or None.

        Without a collection, the default collection is preferred. With one, nothing of the others is read, so that
        neither the result nor the time it takes reveals what they hold.
        """
        chosen = self._record(image_id, collection or DEFAULT_COLLECTION)
        if not _is_shown(chosen) and collection is None:
            chosen = next(filter(_is_shown, self._partition(image_id, item_keys.RECORDS_PREFIX)), None)
        if not _is_shown(chosen):
            return None
        record = item_mapper.to_record(chosen)
        found = self._partition(image_id, item_keys.source_prefix(record.collection), limit=MAX_SOURCES_SHOWN)
        return replace(record, sources=tuple(map(item_mapper.to_source, found)))

    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None:
        """Return the stored features, or None if there are none of this model."""
        item = self._client.get_item(
            TableName=self._table,
            Key=item_keys.record_key(image_id, collection),
            ProjectionExpression="features, #model",
            ExpressionAttributeNames={"#model": "model"},
        ).get("Item")
        if not item or item["model"]["S"] != model:
            return self._secondary.find(ImageKey(collection, image_id), model)
        numbers: Any = item["features"]["L"]
        return item_mapper.from_numbers(numbers)

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences:
        """Return where an image occurs now; with a collection, nothing of the others is read."""
        if collection is None:
            items = self._partition(image_id)
        else:
            record = self._record(image_id, collection)
            items = [*([record] if record else []), *self._partition(image_id, item_keys.source_prefix(collection))]
        return Occurrences(
            collections=[item_keys.collection_of(item) for item in items if item_keys.is_record(item)],
            sources=[
                (item_keys.collection_of(item), item_mapper.to_source(item))
                for item in items
                if not item_keys.is_record(item)
            ],
        )

    def delete_record(self, image_key: ImageKey) -> None:
        """Delete the record, so that no listing or search returns the image, and what belongs to it."""
        self._client.delete_item(
            TableName=self._table, Key=item_keys.record_key(image_key.image_id, image_key.collection)
        )
        self._secondary.delete(image_key)
        self._albums.forget(image_key)

    def page(
        self,
        collection: str,
        *,
        wanted: ImageFilter,
        sort: Sort = Sort.ADDED,
        order: Order = Order.NEWEST,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return one page of a collection; see `DynamoListing.page`."""
        return self._listing.page(collection, wanted=wanted, sort=sort, order=order, limit=limit, cursor=cursor)

    def shown(self, collection: str, image_ids: Sequence[str]) -> Mapping[str, ImageRecord]:
        return self._listing.shown(collection, image_ids)

    def hashes(self, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None) -> HashPage:
        return self._listing.hashes(collection, kind, limit=limit, after=after)

    def set_capture(self, image_key: ImageKey, capture: Capture) -> None:
        """Store what the file of an image states; see `shared.domain.ports.catalogue.Catalogue`."""
        self._reformat(image_key, lambda record: replace(record, capture=capture))

    def set_things(self, image_key: ImageKey, things: Sequence[str]) -> None:
        """Store words for what a network sees in an image; see `shared.domain.ports.catalogue.Catalogue`."""
        self._reformat(image_key, lambda record: replace(record, things=tuple(things)))

    def set_pdq(self, image_key: ImageKey, pdq: Pdq) -> None:
        """Store the PDQ hash of an image; see `shared.domain.ports.catalogue.Catalogue`."""
        self._reformat(image_key, lambda record: replace(record, pdq=pdq))

    def _reformat(self, image_key: ImageKey, change: Callable[[ImageRecord], ImageRecord]) -> None:
        """Change what the attribute `format` has of an image, unless somebody else does at the same time."""
        item = self._record(image_key.image_id, image_key.collection)
        if not _is_shown(item):
            return
        record = change(item_mapper.to_record(item))
        dated = record.capture is not None
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.record_key(image_key.image_id, image_key.collection),
                UpdateExpression="SET #format = :new" + (", #dated_at = :dated_at" if dated else ""),
                ConditionExpression="#format = :old",
                ExpressionAttributeNames={"#format": "format"} | ({"#dated_at": TAKEN_SORT} if dated else {}),
                ExpressionAttributeValues={
                    ":new": {"S": format_attribute.format_text(record)},
                    ":old": item["format"],
                    **({":dated_at": {"S": record.dated_at}} if dated else {}),
                },
            )

    def annotate(self, image_key: ImageKey, before: Annotations, after: Annotations) -> None:
        """Replace the annotations of an image; see `shared.domain.ports.catalogue.Catalogue`.

        Raises:
            ConflictError: they are no longer `before`, or the image was removed.
        """
        update = annotation_update(image_key, before, after)
        if before.tags != after.tags:
            decided = {"Put": {"Item": item_mapper.tags_item(image_key, after.tags)}}
            commit(self._client, self._table, [{"Update": update}, decided])
            return
        try:
            self._client.update_item(TableName=self._table, **update)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ConflictError from error

    def count(self, collection: str) -> tuple[int, bool]:
        """Return the number of images in a collection, and whether it is exact or a lower bound."""
        total = 0
        request: dict[str, Any] = {}
        for _ in range(COUNT_PAGES):
            answer = self._client.query(
                TableName=self._table,
                IndexName=LISTING_INDEX,
                KeyConditionExpression="#collection = :collection",
                ExpressionAttributeNames={"#collection": "collection"},
                ExpressionAttributeValues={":collection": {"S": collection}},
                Select="COUNT",
                **request,
            )
            total += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return total, True
            request = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return total, False

    def tag_counts(self, collection: str) -> TagCounts:
        """Return how many images have each tag, of up to `COUNT_PAGES` pages of 1 MB."""
        return self._listing.tag_counts(collection, COUNT_PAGES)

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """Return the nearest images by the cosine of their features; see `DynamoVectorSearch.nearest`."""
        return self._search.nearest(features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        """Return the nearest images by the cosine of their local features; see `DynamoVectorSearch.nearest_local`."""
        return self._search.nearest_local(local, collection=collection, model=model, limit=limit)

    def with_pixels(self, pixels_hash: str, *, collection: str, limit: int) -> list[ImageRecord]:
        return self._search.with_pixels(pixels_hash, collection=collection, limit=limit)

    def existing(self, image_ids: Collection[str], collection: str) -> Mapping[str, Annotations]:
        """Return which of these images the collection holds; see `shared.domain.ports.indexes.SearchIndex`."""
        keys = [item_keys.record_key(image_id, collection) for image_id in set(image_ids)]
        shown = projection("image_id", LISTING_PARTITION, *ANNOTATIONS)
        items = filter(_is_shown, batch_get(self._client, self._table, keys, shown))
        return {item["image_id"]["S"]: item_mapper.to_annotations(item) for item in items}

    def _record(self, image_id: str, collection: str) -> Any:
        return self._client.get_item(
            TableName=self._table,
            Key=item_keys.record_key(image_id, collection),
            ConsistentRead=True,
            **projection(*ANNOTATED_NAMES),
        ).get("Item")

    def _partition(self, image_id: str, prefix: str = "", limit: int | None = None) -> list[Any]:
        """Return an image's records and sources whose sort key begins with `prefix`."""
        condition, values = "pk = :pk", {":pk": item_keys.image_partition(image_id)}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": {"S": prefix}}
        items: list[Any] = []
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            PaginationConfig={} if limit is None else {"MaxItems": limit, "PageSize": limit},
            ConsistentRead=True,
            **projection(*ANNOTATED_NAMES, "bucket", "key", "version"),
        ):
            items += page["Items"]
        return [item for item in items if not item_keys.is_vectors(item)]


def _is_shown(record: Any) -> bool:
    """Return whether there is a record, and it is not in the trash."""
    return record is not None and LISTING_PARTITION in record
