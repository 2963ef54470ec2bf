#!/bin/sh
# DynamoDB changes an item in one step: who reads it sees all changes of an UpdateItem or none. moto's server changes the
# stored item attribute by attribute while other threads read it, so a reader sees some of them, though it asks for a
# consistent read. A program that waits for one attribute, and then uses another that is set with it, fails now and then.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "moto[server]==5.2.5" "boto3==1.44.5"
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x "$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys
import threading
import time

import boto3
from moto.server import ThreadedMotoServer

SECONDS = 120
NAMES = [f"n{number}" for number in range(40)]
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()


def client():
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://{host}:{port}")


dynamodb, item = client(), {"TableName": "t", "Key": {"pk": {"S": "a"}}}
dynamodb.create_table(
    TableName="t",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)


def update(number):
    dynamodb.update_item(
        **item,
        UpdateExpression="SET " + ", ".join(f"{name} = :n" for name in NAMES),
        ExpressionAttributeValues={":n": {"N": str(number)}},
    )


def read(own, halves):
    while not halves and time.monotonic() < ends:
        found = own.get_item(**item, ConsistentRead=True)["Item"]
        values = {found[name]["N"] for name in NAMES}
        if len(values) > 1:
            halves.append(sorted(values))


update(0)
sys.setswitchinterval(1e-5)  # which only makes it likelier
halves, ends = [], time.monotonic() + SECONDS
readers = [threading.Thread(target=read, args=(client(), halves)) for _ in range(3)]
for reader in readers:
    reader.start()
number = 0
while any(reader.is_alive() for reader in readers):
    number += 1
    update(number)
if not halves:
    raise SystemExit(f"changed: {number} updates, and no reader saw half of one")
print(f"an item whose {len(NAMES)} attributes are set to one number at a time was read with both of two")
PYTHON
