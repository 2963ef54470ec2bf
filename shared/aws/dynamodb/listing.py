"""Pages of a collection: which index of the table is read, and how."""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws.dynamodb import format_attribute, item_keys, item_mapper
from shared.aws.dynamodb.albums import Member
from shared.aws.dynamodb.batches import BATCH, batch_get, projection
from shared.aws.transient_errors import is_index_not_ready
from shared.domain.albums import AlbumKey
from shared.domain.annotations import Annotations
from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.errors import IndexNotReady, InvalidCursor
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, Page
from shared.domain.perceptual_hashes import HashEntry, HashKind, HashPage
from shared.domain.table_schema import (
    ANNOTATED_INDEX,
    ANNOTATED_PARTITION,
    ANNOTATIONS,
    LISTING_INDEX,
    LISTING_PARTITION,
    LISTING_SORT,
    RECORD_ATTRIBUTES,
    TAKEN_INDEX,
    TAKEN_SORT,
)
from shared.domain.tags import TagCounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FILTER_PAGES: Final = 10
FILTER_PAGE: Final = 500
"""Maximum number of reads for a filtered page, and of images in each read."""
_HASH_ATTRIBUTES: Final = {HashKind.PHASH: "phash", HashKind.PDQ: "format"}
"""The attribute that has the hash; the module `format_attribute` says why."""
_FIRST_TIME, _LAST_TIME = "0", "9999"
"""Before and after every time that sorts a listing."""

RECORD_NAMES: Final = ("pk", "sk", "collection", "model", "created_at", *RECORD_ATTRIBUTES)
ANNOTATED_NAMES: Final = (*RECORD_NAMES, *ANNOTATIONS)


class DynamoListing:
    """Reads pages of one table.

    Args:
        existing: returns the annotations of images; see `shared.domain.ports.indexes.SearchIndex`.
        members: returns the entries of an album.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        existing: Callable[[Collection[str], str], Mapping[str, Annotations]],
        members: Callable[[AlbumKey], Sequence[Member]],
    ) -> None:
        self._client = client
        self._table = table
        self._existing = existing
        self._members = members

    def page(
        self, collection: str, *, wanted: ImageFilter, sort: Sort, order: Order, limit: int, cursor: str | None
    ) -> Page:
        """Return one page of a collection; see `shared.domain.ports.catalogue.Catalogue`.

        A filtered page may have fewer than `limit` images and still a cursor. The filter runs here, because a filter
        expression costs the same reads and cannot search a list of labels for a name. The bounds of the time that
        sorts are part of the key.

        Raises:
            InvalidCursor: the cursor is malformed, belongs to another collection or order, or is outside the dates.
            IndexNotReady: the index that it takes is being built.
        """
        if wanted.album is not None:
            return self._of_album(AlbumKey(collection, wanted.album), wanted, sort, order, limit, cursor)
        if sort is Sort.TAKEN and self._has_undated(collection):
            return self._merged(collection, wanted, order, limit, cursor)
        request = self._query(collection, wanted, sort, order)
        if cursor:
            after = item_keys.decode_cursor(cursor, collection, sort)
            since, until = (request["ExpressionAttributeValues"][name]["S"] for name in (":since", ":until"))
            if not since <= after[item_keys.SORT_ATTRIBUTES[sort]]["S"] <= until:
                raise InvalidCursor("the cursor belongs to other dates")
            request["ExclusiveStartKey"] = _start(after, request["IndexName"])
        selective = wanted.selective(sort)
        found: list[tuple[Any, ImageRecord]] = []
        for _ in range(FILTER_PAGES if selective else 1):
            # One record more than requested shows whether there is a next page.
            answer = self._read(request, max(limit + 1, FILTER_PAGE) if selective else limit + 1)
            read = list(
                zip(answer["Items"], self._records(collection, answer, wanted, request["IndexName"]), strict=True)
            )
            found += [(item, record) for item, record in read if wanted.accepts(record)]
            if len(found) > limit or "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        records = [record for _, record in found[:limit]]
        lacks_annotations = request["IndexName"] == LISTING_INDEX and not wanted.depends_on_annotations
        page = self._annotated(collection, records) if lacks_annotations else records
        if len(found) > limit:
            return Page(page, item_keys.encode_cursor(collection, found[limit - 1][0], sort))
        last = answer.get("LastEvaluatedKey")
        return Page(page, item_keys.encode_cursor(collection, last, sort) if last else None)

    def _of_album(
        self, album: AlbumKey, wanted: ImageFilter, sort: Sort, order: Order, limit: int, cursor: str | None
    ) -> Page:
        """Return one page of an album: all of its entries are read and sorted, and the records of those on the page."""
        after = decode_cursor(cursor, album.collection, sort) if cursor else None
        entries = sorted(
            (member.created_at if sort is Sort.ADDED else member.dated_at, member.image_id)
            for member in self._members(album)
        )
        if order is Order.NEWEST:
            entries.reverse()
            rest = [entry for entry in entries if after is None or entry < after]
        else:
            rest = [entry for entry in entries if after is None or entry > after]
        found: list[tuple[tuple[str, str], ImageRecord]] = []
        for start in range(0, len(rest), BATCH):
            chunk = rest[start : start + BATCH]
            records = self.shown(album.collection, [image_id for _, image_id in chunk])
            held = [(entry, records[entry[1]]) for entry in chunk if entry[1] in records]
            found += [(entry, record) for entry, record in held if wanted.accepts(record)]
            if len(found) > limit:
                return Page(
                    [record for _, record in found[:limit]],
                    encode_cursor(album.collection, *found[limit - 1][0], sort),
                )
        return Page([record for _, record in found])

    def shown(self, collection: str, image_ids: Sequence[str]) -> Mapping[str, ImageRecord]:
        """Return the records of some images; see `shared.domain.ports.catalogue.Catalogue`."""
        keys = [item_keys.record_key(image_id, collection) for image_id in image_ids]
        items = batch_get(self._client, self._table, keys, projection(*ANNOTATED_NAMES))
        return {item["image_id"]["S"]: item_mapper.to_record(item) for item in items if LISTING_PARTITION in item}

    def hashes(self, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None) -> HashPage:
        """Return a page of perceptual hashes; see `shared.domain.ports.indexes.HashIndex`."""
        shown = projection("image_id", LISTING_SORT, _HASH_ATTRIBUTES[kind])
        shown["ExpressionAttributeNames"]["#partition"] = LISTING_PARTITION
        request = self._query(collection, ImageFilter(), Sort.ADDED, Order.NEWEST) | shown
        if after:
            time, image_id = after
            request["ExclusiveStartKey"] = item_keys.record_key(image_id, collection) | {
                LISTING_PARTITION: {"S": collection},
                LISTING_SORT: {"S": time},
            }
        answer = self._read(request, limit)
        entries = [
            HashEntry(item["image_id"]["S"], item[LISTING_SORT]["S"], format_attribute.to_hash(item, kind))
            for item in answer["Items"]
        ]
        return HashPage(entries, more="LastEvaluatedKey" in answer)

    def tag_counts(self, collection: str, pages: int) -> TagCounts:
        """Return how many of the newest images have each tag, of those on this many pages of 1 MB."""
        request = self._query(collection, ImageFilter(), Sort.ADDED, Order.NEWEST)
        counts, images = Counter[str](), 0
        for _ in range(pages):
            answer = self._client.query(**request)
            records = self._annotated(collection, [item_mapper.to_record(item) for item in answer["Items"]])
            counts.update(tag for record in records for tag in record.tags)
            images += len(records)
            if "LastEvaluatedKey" not in answer:
                return TagCounts(counts, images, exact=True)
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return TagCounts(counts, images, exact=False)

    def _records(self, collection: str, answer: Any, wanted: ImageFilter, index: str) -> Sequence[ImageRecord]:
        """Return the records of an answer, with their annotations if these decide which are accepted."""
        records = [item_mapper.to_record(item) for item in answer["Items"]]
        return (
            self._annotated(collection, records)
            if index == LISTING_INDEX and wanted.depends_on_annotations
            else records
        )

    def _has_undated(self, collection: str) -> bool:
        """Return whether the image that arrived first was stored by a version that did not read when it was taken."""
        request = self._query(collection, ImageFilter(), Sort.ADDED, Order.OLDEST)
        return not all(map(format_attribute.has_capture, self._read(request, 1)["Items"]))

    def _merged(self, collection: str, wanted: ImageFilter, order: Order, limit: int, cursor: str | None) -> Page:
        """Return one page by date taken of a collection with images that `taken-v1` lacks, which have that of arrival.

        Those are looked for in the index by the time of indexing, among all others. `reindex --dates` ends that.
        """
        after = decode_cursor(cursor, collection, Sort.TAKEN) if cursor else None
        since, until = wanted.bounds(Sort.TAKEN)
        if after and not (since or _FIRST_TIME) <= after[0] <= (until or _LAST_TIME):
            raise InvalidCursor("the cursor belongs to other dates")
        streams = [
            self._stream(
                self._query(collection, wanted, Sort.TAKEN, order), Sort.TAKEN, collection, wanted, after, limit
            ),
            self._stream(
                self._query(collection, replace(wanted, since=_utc(since), until=_utc(until)), Sort.ADDED, order),
                Sort.ADDED,
                collection,
                wanted,
                after and (_utc(after[0]) or "", after[1]),
                limit,
            ),
        ]
        found: list[ImageRecord] = []
        more = False
        last: ImageRecord | None = None
        merged = heapq.merge(*streams, key=lambda record: record.dated_at, reverse=order is Order.NEWEST)
        for examined, record in enumerate(merged):
            if len(found) == limit or examined == FILTER_PAGES * FILTER_PAGE:
                more = True
                break
            last = record
            found += [record] if wanted.accepts(record) else []
        undated = [record for record in found if record.capture is None and not wanted.depends_on_annotations]
        noted = {record.image_id: record for record in self._annotated(collection, undated)}
        page = [noted.get(record.image_id, record) for record in found]
        if not more or last is None:
            return Page(page)
        return Page(page, encode_cursor(collection, last.dated_at, last.image_id, Sort.TAKEN))

    def _stream(
        self,
        request: dict[str, Any],
        sort: Sort,
        collection: str,
        wanted: ImageFilter,
        after: tuple[str, str] | None,
        limit: int,
    ) -> Iterator[ImageRecord]:
        """Yield the images of a query; of one by the time of indexing those that `taken-v1` lacks."""
        if after:
            attribute = item_keys.SORT_ATTRIBUTES[sort]
            start = item_keys.record_key(after[1], collection) | {attribute: {"S": after[0]}}
            request["ExclusiveStartKey"] = _start(start | {LISTING_PARTITION: {"S": collection}}, request["IndexName"])
        size = limit + 1
        while True:
            answer = self._read(request, size)
            for record in self._records(collection, answer, wanted, request["IndexName"]):
                if sort is Sort.TAKEN or record.capture is None:
                    yield record
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            size = max(size, FILTER_PAGE)

    def _query(
        self, collection: str, wanted: ImageFilter, sort: Sort, order: Order, *, annotated: bool = False
    ) -> dict[str, Any]:
        """Return the query of a listing; by the time of indexing, annotated images have a sparse index."""
        by_time = ANNOTATED_INDEX if annotated or wanted.needs_annotations else LISTING_INDEX
        index = TAKEN_INDEX if sort is Sort.TAKEN else by_time
        partition = ANNOTATED_PARTITION if index == ANNOTATED_INDEX else LISTING_PARTITION
        attribute = item_keys.SORT_ATTRIBUTES[sort]
        since, until = wanted.bounds(sort)
        names = RECORD_NAMES if index == LISTING_INDEX else ANNOTATED_NAMES
        shown = projection(*names, *([TAKEN_SORT] if sort is Sort.TAKEN else []))
        return {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": f"#partition = :collection AND #{attribute} BETWEEN :since AND :until",
            "ExpressionAttributeValues": {
                ":collection": {"S": collection},
                ":since": {"S": since or _FIRST_TIME},
                ":until": {"S": until or _LAST_TIME},
            },
            "ScanIndexForward": order is Order.OLDEST,
            "ProjectionExpression": shown["ProjectionExpression"],
            "ExpressionAttributeNames": shown["ExpressionAttributeNames"]
            | {"#partition": partition, f"#{attribute}": attribute},
        }

    def _read(self, request: dict[str, Any], limit: int) -> Any:
        try:
            return self._client.query(**request, Limit=limit)
        except ClientError as error:
            if is_index_not_ready(error):
                raise IndexNotReady(f"The index {request['IndexName']} is still being built.") from error
            raise

    def _annotated(self, collection: str, records: Sequence[ImageRecord]) -> Sequence[ImageRecord]:
        """Return records with their annotations, read from the index that has only annotated images."""
        if not records:
            return records
        times = [record.created_at for record in records]
        among = self._query(
            collection, ImageFilter(since=min(times), until=max(times)), Sort.ADDED, Order.NEWEST, annotated=True
        )
        annotations: dict[str, Annotations] = {}
        try:
            for answer in self._client.get_paginator("query").paginate(**among):
                annotations |= {item["image_id"]["S"]: item_mapper.to_annotations(item) for item in answer["Items"]}
        except ClientError as error:
            if not is_index_not_ready(error):
                raise
            annotations |= self._existing([record.image_id for record in records], collection)
        return [
            replace(record, annotations=annotations[record.image_id]) if record.image_id in annotations else record
            for record in records
        ]


def _utc(time: str | None) -> str | None:
    """Return a time of `ImageRecord.dated_at` in the format of `created_at`."""
    return time and f"{time}+00:00"


def _start(after: dict[str, Any], index: str) -> dict[str, Any]:
    if index != ANNOTATED_INDEX:
        return after
    return {name: value for name, value in after.items() if name != LISTING_PARTITION} | {
        ANNOTATED_PARTITION: after[LISTING_PARTITION]
    }
