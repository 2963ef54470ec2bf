#!/bin/sh
# One would guess that `except client.exceptions.ConditionalCheckFailedException` catches that error of the same client in every
# thread: botocore says that threads may share a client. But a session's exception classes are made when a client first needs
# them, without a lock. Threads that need them at the same time, as in a new process whose first calls all fail so, make two sets:
# a call raises a class of one, and `except` looks for that of the other, so the error passes. It is a `ClientError` of the
# right name and code, and its class even prints the same. Reading `client.exceptions` once before threads share the client
# prevents it. How often it happens depends on how threads take turns, so they are made to take turns often here.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "boto3==1.44.8" "botocore==1.44.8"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS, CLIENTS = 8, 60
TOGETHER = threading.Barrier(THREADS)
BODY = b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"}'


class Refusing(BaseHTTPRequestHandler):
    """Answers calls, all at once, as DynamoDB answers those whose condition does not hold."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        TOGETHER.wait()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
config = Config(retries={"total_max_attempts": 1}, max_pool_connections=THREADS)
sys.setswitchinterval(1e-6)


def error_of(client: object) -> ClientError:
    try:
        client.put_item(TableName="t", Item={"k": {"S": "a"}}, ConditionExpression="attribute_not_exists(k)")
    except ClientError as error:
        assert type(error).__name__ == "ConditionalCheckFailedException"
        return error
    raise SystemExit("the call did not fail")


def clients_that_miss(first: bool) -> int:
    """Return for how many clients an error is not of the class that the client has under its name."""
    found = 0
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in range(CLIENTS):
            session = boto3.Session("id", "secret", region_name="us-east-1")
            client = session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{server.server_port}", config=config)
            if first:
                client.exceptions  # noqa: B018
            errors = list(threads.map(error_of, [client] * THREADS))
            found += not all(isinstance(error, client.exceptions.ConditionalCheckFailedException) for error in errors)
    return found


lazily, before = clients_that_miss(first=False), clients_that_miss(first=True)
print(f"botocore 1.44.8, {CLIENTS} clients, each used by {THREADS} threads at once: {lazily} have an error pass that")
print(f"`except client.exceptions...` names; {before} if `client.exceptions` was read before")
if not lazily or before:
    raise SystemExit("changed")
PYTHON
