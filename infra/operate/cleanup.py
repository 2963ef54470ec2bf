"""Clean up after a switch: move the active model's vectors into the records, and remove those of other models."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from tqdm import tqdm

from shared.aws.dynamodb import item_keys
from shared.domain.images import SIGNATURES_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

THREADS: Final = 16
_VECTOR_ATTRIBUTES: Final = ("model", "features", "labels", "label")


def clean_table(client: "DynamoDBClient", table: str, model: str) -> int:
    """Leave each image one vector, that of `model`, in its record. It is safe to interrupt and repeat.

    For a moment an image has the same vector twice; a search counts it once.

    Returns:
        The number of items removed.
    """

    def clean_item(item: Any) -> None:
        if item["model"]["S"] == model:
            _move_vector(client, table, item)
        client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})

    removed = 0
    with ThreadPoolExecutor(THREADS) as pool, tqdm(desc="cleaning", unit="vector") as bar:
        for page in client.get_paginator("scan").paginate(
            TableName=table,
            FilterExpression="begins_with(sk, :vectors)",
            ExpressionAttributeValues={":vectors": {"S": item_keys.VECTORS_PREFIX}},
            ConsistentRead=True,
        ):
            list(pool.map(clean_item, page["Items"]))
            removed += len(page["Items"])
            bar.update(len(page["Items"]))
    return removed


def clean_bucket(s3: "S3Client", bucket: str, model: str) -> int:
    """Remove the signatures of every other model and return their number."""
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


def _move_vector(client: "DynamoDBClient", table: str, item: Any) -> None:
    """Move a vector into its image's record, unless the record is gone or already has this model's vector."""
    present = [name for name in _VECTOR_ATTRIBUTES if name in item]
    absent = [name for name in _VECTOR_ATTRIBUTES if name not in item]
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
    if absent:
        change += " REMOVE " + ", ".join(f"#{name}" for name in absent)
    try:
        client.update_item(
            TableName=table,
            Key=item_keys.record_key(item["image_id"]["S"], item["collection"]["S"]),
            UpdateExpression=change,
            ConditionExpression="attribute_exists(pk) AND #model <> :model",
            ExpressionAttributeNames={f"#{name}": name for name in _VECTOR_ATTRIBUTES},
            ExpressionAttributeValues={f":{name}": item[name] for name in present},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
