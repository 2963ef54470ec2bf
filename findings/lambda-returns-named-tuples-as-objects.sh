#!/bin/sh
# What a Lambda handler returns becomes JSON, one would guess, as `json.dumps` makes it; so a test that calls the handler and
# dumps its answer shows what a caller gets. Lambda's runtime client for Python encodes by simplejson with its own settings: a
# named tuple, which the standard library writes as a list, becomes an object with the fields' names, and bytes within the
# answer, which the standard library refuses, become a string. A whole answer of bytes is sent as it is, not as JSON.
# Adding names to a tuple that a function returns therefore changes the function's interface in AWS, and in no test.
# Exit status 0: still so. Needs Linux, python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "awslambdaric==4.2.2" "simplejson==4.3.0"
"$folder/venv/bin/python" - <<'PYTHON'
import json
from typing import NamedTuple

from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller


class Box(NamedTuple):
    left: int
    top: int


def standard(answer):
    try:
        return json.dumps(answer)
    except TypeError:
        return "refused"


seen = []
for answer in ([Box(3, 4)], {"state": b"done"}, b"done"):
    expected, (sent, kind) = standard(answer), LambdaMarshaller().marshal_response(answer)
    seen.append((expected, sent, kind))
    print(f"a handler returns {answer!r}: json.dumps {expected}, awslambdaric 4.2.2 {sent!r} as {kind}")
if seen != [
    ("[[3, 4]]", '[{"left": 3, "top": 4}]', "application/json"),
    ("refused", '{"state": "done"}', "application/json"),
    ("refused", b"done", "application/unknown"),
]:
    raise SystemExit("changed")
PYTHON
