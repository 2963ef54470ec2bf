#!/bin/sh
# moto's server knows its services from the start, one would guess. It lists the folder of its own package for each
# request, under a lock that all requests share, and asks for each of 180 entries whether that is a folder. Each of these
# calls hands over the interpreter's lock, so a request waits long where the same process computes.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "moto[server]==5.2.5" "boto3==1.44.5"
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x "$folder/venv/bin/python" - <<'PYTHON'
import logging
import os

import boto3
import moto
from moto.server import ThreadedMotoServer

REQUESTS = 10
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=f"http://{host}:{port}")
sqs.list_queues()

package, listdir, isdir = os.path.dirname(moto.__file__), os.listdir, os.path.isdir
listed, asked = [], []
os.listdir = lambda path=".": (listed.append(path), listdir(path))[1]
os.path.isdir = lambda path: (asked.append(path), isdir(path))[1]
for _ in range(REQUESTS):
    sqs.list_queues()
os.listdir, os.path.isdir = listdir, isdir
times = listed.count(package) / REQUESTS
entries = sum(str(path).startswith(package) for path in asked) / REQUESTS
print(f"a request lists the package {times:g} times, and asks {entries:.0f} times whether an entry is a folder")
if times < 1 or entries < 100:
    raise SystemExit("changed: it does not any more")
PYTHON
