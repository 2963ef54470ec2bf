"""After a switch: the active model's vectors move into the records, and what other models left goes."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from tqdm import tqdm

from shared.aws.dynamodb import item_mapper
from shared.domain.images import SIGNATURES_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

AT_ONCE: Final = 16
_MOVED: Final = ("model", "features", "labels", "label")


def clean_table(client: "DynamoDBClient", table: str, model: str) -> int:
    """Leave each image one vector, that of `model`, in its record; it may be stopped and repeated.

    For a moment an image has the same vector twice, which a search counts once.

    Returns:
        How many items were removed.
    """

    def settle(item: Any) -> None:
        if item["model"]["S"] == model:
            _move(client, table, item)
        client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})

    removed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool, tqdm(desc="cleaning", unit="vector") as bar:
        for page in client.get_paginator("scan").paginate(
            TableName=table,
            FilterExpression="begins_with(sk, :vectors)",
            ExpressionAttributeValues={":vectors": {"S": item_mapper.VECTORS_PREFIX}},
            ConsistentRead=True,
        ):
            list(pool.map(settle, page["Items"]))
            removed += len(page["Items"])
            bar.update(len(page["Items"]))
    return removed


def clean_bucket(s3: "S3Client", bucket: str, model: str) -> int:
    """Remove the signatures of every other model; gives how many there were."""
    removed = 0
    folders = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=SIGNATURES_PREFIX, Delimiter="/")
    others = [
        folder["Prefix"]
        for page in folders
        for folder in page.get("CommonPrefixes", [])
        if folder["Prefix"] != f"{SIGNATURES_PREFIX}{model}/"
    ]
    for prefix in others:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys: Any = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            removed += len(keys)
    return removed


def _move(client: "DynamoDBClient", table: str, item: Any) -> None:
    """Put a vector into its image's record, unless the record is gone or has this model's already."""
    given = [name for name in _MOVED if name in item]
    absent = [name for name in _MOVED if name not in item]
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in given)
    if absent:
        change += " REMOVE " + ", ".join(f"#{name}" for name in absent)
    try:
        client.update_item(
            TableName=table,
            Key=item_mapper.record_key(item["image_id"]["S"], item["collection"]["S"]),
            UpdateExpression=change,
            ConditionExpression="attribute_exists(pk) AND #model <> :model",
            ExpressionAttributeNames={f"#{name}": name for name in _MOVED},
            ExpressionAttributeValues={f":{name}": item[name] for name in given},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
