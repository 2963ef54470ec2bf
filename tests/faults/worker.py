"""A worker that can be killed: `python -m tests.faults.worker` handles each invocation in a separate process.

Each line on standard input is an invocation, `{"event": ..., "faults": [...], "seconds": ...}`. The line printed for it
is `{"answer": ..., "calls": [...]}`, or `{"died": status, "calls": [...]}` if the process died before it answered.
"""

import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

CHANGES: Final = {
    "dynamodb.TransactWriteItems",
    "dynamodb.PutItem",
    "dynamodb.UpdateItem",
    "dynamodb.DeleteItem",
    "s3.PutObject",
    "s3.DeleteObject",
    "s3.PutObjectTagging",
    "eventbridge.PutEvents",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in some AWS calls.

    Attributes:
        kind: `throttle`, `unavailable`, `building`, `timeout`, `slow`, `kill-before` or `kill-after`.
        service: `dynamodb`, `s3`, `events`, ... or empty for any service.
        operation: an operation of the service, or empty for any.
        calls: indices of the affected calls among the matching ones, from 0; empty for all.
        url: text that the request's URL must contain.
        changes: affect only calls that change something.
        first: affect only the first attempt of a call, so that concurrent messages cannot use up each other's retries.
    """

    kind: str
    service: str = ""
    operation: str = ""
    calls: tuple[int, ...] = ()
    url: str = ""
    changes: bool = False
    first: bool = False


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._data


def error_response(request: AWSPreparedRequest, service: str, kind: str) -> AWSResponse:
    if service == "s3":
        code = "SlowDown" if kind == "throttle" else "ServiceUnavailable"
        said = f"<Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>"
        return aws_response(request, 503, {"content-type": "application/xml"}, said)
    status, code, message = {
        "throttle": (400, "ThrottlingException", "injected"),
        "unavailable": (503, "InternalServerError", "injected"),
        "building": (400, "ValidationException", "Cannot search backfilling vector index: features"),
    }[kind]
    said = json.dumps({"__type": f"com.amazonaws#{code}", "message": message})
    return aws_response(request, status, {"x-amzn-errortype": code}, said)


def aws_response(request: AWSPreparedRequest, status: int, headers: dict[str, str], said: str) -> AWSResponse:
    made: Any = HeadersDict(headers)
    return AWSResponse(request.url, status, made, _Body(said.encode()))


class Injector:
    """Inject faults into the calls of boto3 clients, and log every call."""

    def __init__(self, faults: list[Fault], log: Path) -> None:
        self._faults = faults
        self._seen = [0] * len(faults)
        self._log = log
        self._counting = Lock()
        events = boto3._get_default_session()._session.get_component("event_emitter")
        events.register_first("before-send", self._before)
        events.register_last("response-received", self._after)
        self._kill_after = False
        # Shorten only the delays between botocore's retries, not their number.
        setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)  # noqa: B010

    def _before(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        service, operation = event_name.split(".")[1:3]
        with self._log.open("a") as written:
            written.write(f"{service}.{operation}\n")
        for index, fault in enumerate(self._faults):
            if (
                fault.service not in ("", service)
                or fault.operation not in ("", operation)
                or fault.url not in request.url
                or (fault.changes and f"{service}.{operation}" not in CHANGES)
                or (fault.first and "attempt=1" not in str(request.headers["amz-sdk-request"]))
            ):
                continue
            with self._counting:
                number, self._seen[index] = self._seen[index], self._seen[index] + 1
            if fault.calls and number not in fault.calls:
                continue
            match fault.kind:
                case "kill-before":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "kill-after":
                    self._kill_after = True
                case "slow":
                    time.sleep(0.3)
                case "timeout":
                    raise ReadTimeoutError(endpoint_url=request.url)
                case "throttle" | "unavailable" | "building" as kind:
                    return error_response(request, service, kind)
        return None

    def _after(self, **_: Any) -> None:
        if self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)


def install(faults: str, log: str) -> None:
    """Inject faults into this process; its children read them from the environment (`site/sitecustomize.py`)."""
    Injector([Fault(**one) for one in json.loads(faults)], Path(log))


def _child(order: dict[str, Any], log: Path, answer: Path) -> None:
    faults = json.dumps(order["faults"])
    install(faults, str(log))
    sys.path.insert(0, str(Path(__file__).parent / "site"))
    os.environ.update(TEST_FAULTS=faults, TEST_FAULTS_LOG=str(log))
    from functions.ingest.handler import handler
    from infra.local.queue_worker import FunctionContext

    context: Any = FunctionContext("ingest")
    answer.write_text(json.dumps(handler(order["event"], context)))


def _run(order: dict[str, Any]) -> dict[str, Any]:
    # A subprocess of a killed child may still write its calls while the folder is deleted.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log, answer = Path(folder) / "calls", Path(folder) / "answer"
        log.touch()
        pid = os.fork()
        if pid == 0:
            try:
                _child(order, log, answer)
                os._exit(0)
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
        deadline = time.monotonic() + order["seconds"]
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                break
            time.sleep(0.005)
        calls = log.read_text().split()
        if status or not answer.exists():
            return {"died": status, "calls": calls}
        return {"answer": json.loads(answer.read_text()), "calls": calls}


def main() -> None:
    """Import everything once, so that a child starts quickly, without loading a model or opening a socket."""
    import functions.ingest.handler  # noqa: F401
    from shared.aws import retry_delays
    from shared.domain.queue_times import INGEST_QUEUE
    from shared.vision.decode.decoding import SANDBOX

    setattr(retry_delays, "INGEST_QUEUE", replace(INGEST_QUEUE, first_retry_seconds=0))  # noqa: B010
    SANDBOX.start()  # as in Lambda, where one process handles many batches
    for service in ("dynamodb", "s3", "events", "sqs"):
        boto3.client(service)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keep the functions' own output out of the protocol
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
