#!/bin/sh
# cfn-lint knows the vector indexes of a DynamoDB table: it reports a misspelt property of one, or a wrong type. So it takes a
# table with one, one would guess. DynamoDB asks that the attributes of an index's search schema be declared with the table's
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchTroubleshooting.html), and cfn-lint reports
# just these as errors: its rule E3039 counts the attributes of tables' keys and of secondary indexes only. Who removes the
# declaration, as the message asks, gets a template that passes and that DynamoDB refuses.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "cfn-lint==1.58.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json
import subprocess
import sys
from pathlib import Path


def found(declared, dimensions=2048):
    """Return what cfn-lint finds in a table with a vector index and these attributes."""
    index = {
        "IndexName": "vectors",
        "VectorAttribute": {"AttributeName": "features"},
        "Dimensions": dimensions,
        "DistanceFunction": "COSINE",
        "SearchSchema": [{"AttributeName": "collection", "SearchSchemaElementType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    table = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in declared],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "VectorIndexes": [index],
    }
    template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}}
    Path("template.json").write_text(json.dumps(template))
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1", "--format", "json", "template.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    return [(each["Rule"]["Id"], each["Message"]) for each in json.loads(done.stdout)]


wrong, needed, less = found(("pk",), dimensions="many"), found(("pk", "collection")), found(("pk",))
print(f"cfn-lint 1.58.0, a wrong type in the index: {wrong}")
print(f"the attribute of the search schema is declared, as DynamoDB asks: {needed}")
print(f"it is not declared: {less}")
if [rule for rule, _ in wrong] != ["E3012"] or [rule for rule, _ in needed] != ["E3039"] or less:
    raise SystemExit("changed")
PYTHON
