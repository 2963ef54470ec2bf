"""A local server for Lambda's Invoke call, which runs handlers in this process.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote

from infra.local.queue_worker import FunctionContext

logger = logging.getLogger(__name__)

Handler = Callable[[Any, Any], Any]

_PATH: Final = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
_JSON: Final = "application/json"


@contextmanager
def serve_functions(handlers: Mapping[str, Handler]) -> Iterator[str]:
    """Serve `handlers` by function name on loopback; yield the URL for `AWS_ENDPOINT_URL_LAMBDA`."""

    class Invocations(_Invocations):
        functions = handlers

    server = ThreadingHTTPServer(("127.0.0.1", 0), Invocations)
    thread = threading.Thread(target=server.serve_forever, name="invocations", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


class _Invocations(BaseHTTPRequestHandler):
    functions: Mapping[str, Handler]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = _PATH.fullmatch(self.path)
        name = unquote(path["name"]).rsplit(":", 1)[-1] if path else ""
        handler = self.functions.get(name)
        if handler is None:
            return self._fail(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            event = json.loads(body or b"{}")
        except ValueError as error:
            return self._fail(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
        if self.headers.get("X-Amz-Invocation-Type", "RequestResponse") == "Event":
            threading.Thread(target=_invoke, args=(name, handler, event), daemon=True).start()
            return self._send(202, b"", {})
        result, failed = _invoke(name, handler, event)
        headers = {"X-Amz-Executed-Version": "$LATEST"} | ({"X-Amz-Function-Error": "Unhandled"} if failed else {})
        return self._send(200, json.dumps(result).encode(), headers)

    def _fail(self, status: int, kind: str, message: str) -> None:
        self._send(status, json.dumps({"Type": "User", "Message": message}).encode(), {"X-Amzn-ErrorType": kind})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": _JSON, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _invoke(name: str, handler: Handler, event: Any) -> tuple[Any, bool]:
    """Call the handler; return the payload that Lambda would respond with, and whether it is an error."""
    try:
        return handler(event, FunctionContext(name)), False
    except Exception as error:
        logger.exception("the function %s failed", name)
        trace = traceback.format_tb(error.__traceback__)
        return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}, True
