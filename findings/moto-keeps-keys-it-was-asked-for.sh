#!/bin/sh
# A read leaves a store as it was, one would guess. In moto, a GetItem of a key that no item has adds an empty partition to a
# table with a sort key, and so does a DeleteItem; both stay. Neither a scan nor the table's count shows them, but the process
# grows with each key that it is asked for, and a scan or another reader that iterates over the partitions in another thread
# meets a dictionary that changes, though nobody writes. A table without a sort key stays as it was, and Query adds nothing.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "moto[dynamodb]==5.2.5" "boto3==1.44.5"
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x "$folder/venv/bin/python" - <<'PYTHON'
import boto3
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

KEYS = 100
seen = {}
with mock_aws():
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    for table, names in (("simple", ("pk",)), ("composite", ("pk", "sk"))):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"))],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            BillingMode="PAY_PER_REQUEST",
        )
        partitions = dynamodb_backends["123456789012"]["us-east-1"].tables[table].items
        for call in ("query", "get_item", "delete_item"):
            before = len(partitions)
            for number in range(KEYS):
                key = f"{call} {number}"
                if call == "query":
                    values = {":pk": {"S": key}}
                    dynamodb.query(
                        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
                    )
                else:
                    getattr(dynamodb, call)(TableName=table, Key={name: {"S": key} for name in names})
            seen[table, call] = len(partitions) - before
        items = dynamodb.scan(TableName=table)["Count"]
        added = ", ".join(f"{call} {seen[table, call]}" for call in ("query", "get_item", "delete_item"))
        print(f"moto 5.2.5, {len(names)}-part key, {KEYS} missing keys each: partitions added by {added}; {items} items")
        assert items == 0
if [seen["simple", call] for call in ("query", "get_item", "delete_item")] != [0, 0, 0]:
    raise SystemExit("changed")
if [seen["composite", call] for call in ("query", "get_item", "delete_item")] != [0, KEYS, KEYS]:
    raise SystemExit("changed")
PYTHON
