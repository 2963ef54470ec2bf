"""Writes of records that keep what people wrote on their images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws.dynamodb import item_keys, item_mapper
from shared.domain.annotations import Annotations
from shared.domain.images import IndexedImage, ObjectRef
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.table_schema import (
    ANNOTATED_PARTITION,
    ANNOTATIONS,
    CONDEMNED,
    LISTING_PARTITION,
    PARTITION_KEY,
    SORT_KEY,
    TRASHED_AT,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ROUNDS: Final = 5
"""Maximum number of attempts to store a record while others change the one that is stored."""
_NOT_REPLACED: Final = (PARTITION_KEY, SORT_KEY, ANNOTATED_PARTITION, *ANNOTATIONS)


def store_record(dynamodb_client: "DynamoDBClient", table: str, image: IndexedImage, source: ObjectRef) -> bool:
    """Store a record, in one write if it is new; return whether `source` was the first to bring the image.

    A record of another model, or one in the trash, is replaced by an update that names neither annotations nor the
    choice of an image to keep, so that no worker holds the only copy of them.

    Raises:
        ConflictError: others changed the record in every round.
    """
    record = item_mapper.record_attributes(
        image.record, image.features, source, image.local_features, image.pixels_hash
    )
    for _ in range(MAX_ROUNDS):
        held = _put_new(dynamodb_client, table, item_mapper.present(record))
        if held is None:
            return True
        if TRASHED_AT not in held and held["model"] == record["model"]:
            return bool(held["brought_by"] == record["brought_by"])
        if _replace(dynamodb_client, table, held, record):
            return True
    raise ConflictError


def _put_new(dynamodb_client: "DynamoDBClient", table: str, item: Mapping[str, Any]) -> Any:
    """Store the first record of an image; return the one that is there, if any."""
    try:
        dynamodb_client.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        answer: Any = error.response
        return answer["Item"]
    return None


def _replace(dynamodb_client: "DynamoDBClient", table: str, held: item_keys.Item, record: Mapping[str, Any]) -> bool:
    """Replace all of a record but what people wrote; return False if another worker did, or it was trashed or restored.

    Nobody can annotate an image in the trash, so `held` tells whether it has annotations.
    """
    written = {name: value for name, value in record.items() if name not in _NOT_REPLACED}
    values = {":was": held["model"]}
    unchanged = "#model = :was AND attribute_not_exists(#trashed_at)"
    if TRASHED_AT in held:
        values = {":was": held[TRASHED_AT]}
        unchanged = "#trashed_at = :was"
        if any(name in held for name in ANNOTATIONS):
            written[ANNOTATED_PARTITION] = record[LISTING_PARTITION]
    stays = item_mapper.present(written)
    gone = [name for name in (*written, TRASHED_AT, CONDEMNED) if name not in stays]
    changes = ", ".join(f"#{name} = :{name}" for name in stays)
    try:
        dynamodb_client.update_item(
            TableName=table,
            Key={name: record[name] for name in (PARTITION_KEY, SORT_KEY)},
            UpdateExpression=f"SET {changes} REMOVE {', '.join(f'#{name}' for name in gone)}",
            ConditionExpression=unchanged,
            ExpressionAttributeNames={f"#{name}": name for name in (*stays, *gone)},
            ExpressionAttributeValues=values | {f":{name}": value for name, value in stays.items()},
        )
    except dynamodb_client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def annotation_update(image_key: ImageKey, before: Annotations, after: Annotations) -> dict[str, Any]:
    """Return the update of a record that is in no trash and has these annotations, to those after."""
    old = item_mapper.annotation_attributes(before, image_key.collection)
    new = item_mapper.annotation_attributes(after, image_key.collection)
    names = (ANNOTATED_PARTITION, *ANNOTATIONS)
    unchanged = [f"#{name} = :old_{name}" if name in old else f"attribute_not_exists(#{name})" for name in names]
    changes = []
    if new:
        changes.append("SET " + ", ".join(f"#{name} = :new_{name}" for name in new))
    if gone := [name for name in names if name not in new]:
        changes.append("REMOVE " + ", ".join(f"#{name}" for name in gone))
    values = {f":old_{name}": value for name, value in old.items()}
    values |= {f":new_{name}": value for name, value in new.items()}
    return {
        "Key": item_keys.record_key(image_key.image_id, image_key.collection),
        "UpdateExpression": " ".join(changes),
        "ConditionExpression": " AND ".join((f"attribute_exists(#{LISTING_PARTITION})", *unchanged)),
        "ExpressionAttributeNames": {f"#{name}": name for name in (LISTING_PARTITION, *names)},
        **({"ExpressionAttributeValues": values} if values else {}),
    }
