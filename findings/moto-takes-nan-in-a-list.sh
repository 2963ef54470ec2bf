#!/bin/sh
# moto refuses the number NaN as an attribute of an item, as DynamoDB does, and takes the same number inside a list.
# A vector is such a list: an emulator that indexes vectors has to look at every number itself.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "moto[dynamodb]==5.2.5" "boto3==1.44.5"
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x "$folder/venv/bin/python" - <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

NAN = {"N": "NaN"}
with mock_aws():
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}, "number": NAN})
        raise SystemExit("changed: NaN is taken as an attribute")
    except ClientError as error:
        print("as an attribute:", error.response["Error"]["Message"])
    try:
        dynamodb.put_item(TableName="t", Item={"pk": {"S": "b"}, "list": {"L": [NAN]}})
    except ClientError as error:
        raise SystemExit(f"changed: NaN is refused in a list: {error}")
    print("in a list: taken")
PYTHON
