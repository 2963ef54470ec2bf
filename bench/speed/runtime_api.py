"""A stand-in for the Lambda Runtime API, enough for `awslambdaric` to run a handler as Lambda does.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 120
"""Timeout of an answer, generous because the machine may be busy."""


class HandlerFailed(RuntimeError):  # noqa: N818
    """The function's process could not start, raised, or did not answer in time."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.asked = threading.Event()
        self.events: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def handle_error(self, *_: object) -> None:
        """Ignore errors: a process is killed after its measurement, while it waits for its next event."""


class _Requests(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: the second would wait 40 ms for the first one's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Handle `/2018-06-01/runtime/invocation/next`: wait for an event."""
        self.server.asked.set()
        body = json.dumps(self.server.events.get()).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid4()))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + SECONDS) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Handle `.../invocation/ID/response`, `.../invocation/ID/error` and `/runtime/init/error`."""
        body = self._body()
        self.server.answers.put((self.path.rsplit("/", 1)[-1], json.loads(body) if body else None))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


class Function:
    """A handler in a process of its own, started as Lambda starts it.

    Attributes:
        init_ms: milliseconds from the start of the process until it requests its first event.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", server: _Server, started: float) -> None:
        self._process = process
        self._server = server
        self._expect(lambda: server.asked.wait(0.002))
        self.init_ms = (time.perf_counter() - started) * 1000

    def call(self, event: Any) -> tuple[float, Any]:
        """Invoke the handler; return the milliseconds that it took, and its answer.

        Raises:
            HandlerFailed: the handler raised an exception, its process ended, or it did not answer in time.
        """
        started = time.perf_counter()
        self._server.events.put(event)
        self._expect(lambda: not self._server.answers.empty())
        taken = (time.perf_counter() - started) * 1000
        kind, answer = self._server.answers.get()
        if kind != "response":
            raise HandlerFailed(f"{kind}: {answer}")
        return taken, answer

    def maps(self, part: str) -> bool:
        """Return whether the process has mapped a file whose path contains `part`."""
        return part in Path(f"/proc/{self._process.pid}/maps").read_text(encoding="utf-8", errors="replace")

    def memory(self) -> int:
        """Return the bytes that the process and its children use now.

        Memory that they share counts once. Libraries count fully, even if other processes on this machine use them.
        """
        found = [_memory(pid) for pid in _family(self._process.pid)]
        return sum(own for own, _ in found) + max(files for _, files in found)

    def _expect(self, done: Any) -> None:
        deadline = time.monotonic() + SECONDS
        while not done():
            if self._process.poll() is not None:
                raise HandlerFailed(f"the process ended with status {self._process.returncode}")
            if not self._server.answers.empty() and not self._server.asked.is_set():
                raise HandlerFailed(f"init failed: {self._server.answers.get()}")
            if time.monotonic() > deadline:
                raise HandlerFailed(f"no answer within {SECONDS} s")
            time.sleep(0.0005)


@contextmanager
def running(handler: str, python: str = sys.executable) -> Iterator[Function]:
    """Run `module.function` under `awslambdaric` until the end of the block."""
    server = _Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    variables = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        [python, "-m", "awslambdaric", handler],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Function(process, server, started)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        server.shutdown()
        server.server_close()


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [one for child in task.read_text(encoding="ascii").split() for one in _family(int(child))]
    return found


def _memory(pid: int) -> tuple[int, int]:
    """Return the bytes of the process itself, with its part of what forks share, and those of mapped files."""
    found = {}
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
            name, size, *_ = line.split()
            found[name.removesuffix(":")] = int(size) * 1024
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        files = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssFile")), 0) * 1024
        return found.get("Pss_Anon", 0) + found.get("Pss_Shmem", 0), files
    return 0, 0
