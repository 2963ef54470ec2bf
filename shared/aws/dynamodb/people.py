"""Faces and persons in DynamoDB."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws.dynamodb import people_items as items
from shared.aws.dynamodb import transactions
from shared.aws.dynamodb.batches import batch_delete, batch_get, projection
from shared.aws.dynamodb.item_keys import record_key
from shared.aws.transient_errors import is_index_not_ready
from shared.domain.errors import IndexNotReady
from shared.domain.ledger import ImageKey
from shared.domain.people.faces import FaceVector
from shared.domain.people.ports import FacesOn, ImageState, Near, Required
from shared.domain.people.records import Change, ImageFaces, Person
from shared.domain.table_schema import (
    COLLECTIONS_PARTITION,
    FACES_INDEX,
    FACES_ON,
    LISTING_PARTITION,
    TRASHED_AT,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ERASED_PAGES: Final = 3
"""Pages of persons and links that one call erases, some 5,000 items of 1 MB each, in about 4 seconds."""


class DynamoPeople:
    """The people of one table; see `shared.domain.people.ports.PeopleStore`, and `people_items` for what is stored."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def state(self, image: ImageKey) -> ImageState:
        item = self._get(record_key(image.image_id, image.collection), LISTING_PARTITION, TRASHED_AT, "pk")
        if item is None:
            return ImageState.ABSENT
        return ImageState.SHOWN if LISTING_PARTITION in item else ImageState.TRASHED

    def accepts(self, collection: str) -> bool:
        item = self._get(_collection_key(collection), FACES_ON)
        return item is not None and FACES_ON in item and bool(item[FACES_ON]["BOOL"])

    def image(self, image: ImageKey) -> ImageFaces:
        item = self._get(items.faces_key(image))
        return items.to_faces(item) if item else ImageFaces(image)

    def images(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageFaces]:
        keys = [items.faces_key(ImageKey(collection, image_id)) for image_id in sorted(set(image_ids))]
        found = [items.to_faces(item) for item in batch_get(self._client, self._table, keys)]
        return {faces.image.image_id: faces for faces in found}

    def stored_faces(
        self, collection: str, *, limit: int, after: str | None = None
    ) -> tuple[Sequence[ImageFaces], bool]:
        found: list[ImageFaces] = []
        for partition, first, last in items.images_after(collection, after):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": partition, ":first": {"S": first}, ":last": {"S": last}},
                Limit=limit - len(found),
                ConsistentRead=True,
            )
            found += [items.to_faces(item) for item in answer["Items"]]
            if len(found) == limit or (found and "LastEvaluatedKey" in answer):
                return found, True
        return found, False

    def person(self, collection: str, person_id: str) -> Person | None:
        item = self._get(items.person_key(collection, person_id))
        return items.to_person(item) if item else None

    def find_people(self, collection: str, person_ids: Collection[str]) -> Mapping[str, Person]:
        keys = [items.person_key(collection, person_id) for person_id in sorted(set(person_ids))]
        found = [items.to_person(item) for item in batch_get(self._client, self._table, keys)]
        return {person.person_id: person for person in found}

    def people(self, collection: str) -> Sequence[Person]:
        return [
            items.to_person(item)
            for page in self._pages(items.people_partition(collection), items.PERSON_PREFIX)
            for item in page
        ]

    def faces_of(
        self, collection: str, person_id: str | None, *, limit: int, after: str | None = None
    ) -> Sequence[str]:
        prefix = items.link_prefix(person_id)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": items.people_partition(collection),
                ":first": {"S": f"{prefix}{after}~" if after else prefix},
                ":last": {"S": f"{prefix}~"},
            },
            Limit=limit,
            ConsistentRead=True,
        )
        return [item["sk"]["S"].rsplit("#", 1)[-1] for item in answer["Items"]]

    def vectors(self, collection: str, face_ids: Collection[str]) -> Mapping[str, FaceVector]:
        keys = [items.vector_key(collection, face_id) for face_id in sorted(set(face_ids))]
        return dict(items.to_vector(item) for item in batch_get(self._client, self._table, keys))

    def near(self, collection: str, face_model: str, vector: FaceVector, limit: int) -> Sequence[Near]:
        try:
            answer: Any = self._client.search_vectors(
                TableName=self._table,
                IndexName=FACES_INDEX,
                SearchVector=items.to_numbers(vector),
                TopK=limit,
                SearchConditionExpression="#collection = :collection AND #face_model = :face_model",
                ProjectionExpression="#face_id",
                ExpressionAttributeNames={
                    "#collection": LISTING_PARTITION,
                    "#face_model": "face_model",
                    "#face_id": "face_id",
                },
                ExpressionAttributeValues={":collection": {"S": collection}, ":face_model": {"S": face_model}},
            )
        except ClientError as error:
            if is_index_not_ready(error):
                raise IndexNotReady(f"The vector index {FACES_INDEX} is still being built.") from error
            raise
        return [
            Near(found["Item"]["face_id"]["S"], float(found["Score"]) / items.FACE_SCALE)
            for found in answer.get("SearchResults", [])
        ]

    def commit(
        self,
        changes: Sequence[Change],
        *,
        vectors: Mapping[str, FaceVector] | None = None,
        required: Required | FacesOn | None = None,
    ) -> None:
        writes = [write for change in changes for write in items.writes(change, vectors or {})]
        checks = _checks(required) if required else []
        transactions.commit(self._client, self._table, [*checks, *writes])

    def erase(self, collection: str, limit: int) -> tuple[int, bool]:
        """Delete faces, each image's before their vectors, so that nothing can be added to what is being deleted."""
        erased = images = 0
        for partition in items.faces_partitions(collection):
            found = [item for page in self._pages(partition) for item in page]
            faces = [items.to_faces(item) for item in found if items.is_faces(item)]
            self._delete([item for item in found if items.is_faces(item)])
            self._delete([item for item in found if not items.is_faces(item)])
            erased += sum(1 for one in faces for _ in one.live())
            images += len(faces)
            if images >= limit:
                return erased, True
        for number, page in enumerate(self._pages(items.people_partition(collection))):
            if number == ERASED_PAGES:
                return erased, True
            self._delete(page)
        return erased, False

    def _delete(self, found: Sequence[items.Item]) -> None:
        batch_delete(self._client, self._table, found)

    def _get(self, key: dict[str, Any], *names: str) -> Any:
        shown: Any = projection(*names) if names else {}
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True, **shown).get("Item")

    def _pages(self, partition: dict[str, Any], prefix: str = "") -> Any:
        condition, values = "pk = :pk", {":pk": partition}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": {"S": prefix}}
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        ):
            yield page["Items"]


def _collection_key(collection: str) -> dict[str, Any]:
    return {"pk": {"S": COLLECTIONS_PARTITION}, "sk": {"S": collection}}


def _checks(required: Required | FacesOn) -> list[dict[str, Any]]:
    """Return the conditions on an image's record, and on its collection."""
    if isinstance(required, FacesOn):
        return [_faces_on(required.collection)]
    image = required.image
    conditions = {
        ImageState.SHOWN: ("attribute_exists(#name)", LISTING_PARTITION),
        ImageState.TRASHED: ("attribute_exists(#name)", TRASHED_AT),
        ImageState.ABSENT: ("attribute_not_exists(#name)", "pk"),
    }
    condition, name = conditions[required.state]
    check: dict[str, Any] = {
        "Key": record_key(image.image_id, image.collection),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#name": name},
    }
    return [{"ConditionCheck": check}, *([_faces_on(image.collection)] if required.faces_on else [])]


def _faces_on(collection: str) -> dict[str, Any]:
    return {
        "ConditionCheck": {
            "Key": _collection_key(collection),
            "ConditionExpression": "#faces = :true",
            "ExpressionAttributeNames": {"#faces": FACES_ON},
            "ExpressionAttributeValues": {":true": {"BOOL": True}},
        }
    }
