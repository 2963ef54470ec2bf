"""Entry point of the ingest function: handles a batch of SQS messages, or one image of a direct invocation."""

import gc

gc.disable()  # as in `functions.api.handler`

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Lock
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.ingest.bootstrap import (
    dead_letters,
    dispatcher,
    message_ends,
    people_retry_delays,
    retry_delays,
)
from functions.ingest.processing import count, logger, metrics, process_event, process_message
from functions.ingest.subprocess_runner import IN_PROCESS_ATTEMPTS, SubprocessFailed, run_in_subprocess
from shared.aws import messages
from shared.aws.retry_delays import FailedMessage
from shared.domain.events import Created, UrlSubmitted
from shared.domain.limits import CONCURRENT_MESSAGES, MAX_RECEIVES

gc.freeze()
gc.enable()

_threads = ThreadPoolExecutor(CONCURRENT_MESSAGES, thread_name_prefix="message")
_subprocess_lock = Lock()


async def process_in_thread(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Process a message in a thread, so that other messages compute while it waits for S3 or DynamoDB."""
    await asyncio.get_running_loop().run_in_executor(_threads, process_record, record, lambda_context)


def process_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Process a message.

    A message that fails is retried, after two failures in its own process. After the last failure it is sent to the
    dead-letter queue from here, because the queue's own redrive would not record the reason. A task on people is left
    to its own queue, where the later ones of its collection wait for it.

    Raises:
        Exception: the message failed and will be retried.
    """
    if is_people_task(record):
        process_message(record.body, record.message_id)
        return
    attempt = receive_count(record)
    if attempt >= MAX_RECEIVES:
        _update_states(message_ends().expect, record)
    try:
        if attempt > IN_PROCESS_ATTEMPTS:
            with _subprocess_lock:  # memory suffices for one more process, not for a batch of them
                run_in_subprocess(record.body, record.message_id, lambda_context.get_remaining_time_in_millis() / 1000)
        else:
            process_message(record.body, record.message_id)
    except Exception as fault:
        if attempt < MAX_RECEIVES:
            raise
        logger.exception("a message failed in its last attempt and goes to the dead-letter queue")
        _update_states(message_ends().fail, record)
        reason = str(fault) if isinstance(fault, SubprocessFailed) else f"{type(fault).__name__}: {fault}"
        if not dead_letters().put(record.body, record.message_id, reason):
            raise
        count("message_dead")


def _update_states(update: Callable[[str, str], None], record: SQSRecord) -> None:
    """Update the states of what a message is about; if that fails too, uploads end when their time is over."""
    try:
        update(record.body, record.message_id)
    except Exception:
        logger.exception("the states of a message could not be stored")


def is_people_task(record: SQSRecord) -> bool:
    """Return whether a message is from the queue of tasks on people, which alone is a FIFO queue."""
    arn: str = record.raw_event.get("eventSourceARN", "")
    return arn.endswith(".fifo")


def receive_count(record: SQSRecord) -> int:
    """Return the number of times that a message has been received, this time included."""
    return int(record.attributes.get("ApproximateReceiveCount") or 1)


def delay_retries(records: Sequence[SQSRecord]) -> None:
    """Shorten the visibility timeout of failed messages, so that they are retried within seconds.

    The timeout of the queue is for functions that died. If it cannot be shortened, a warning is logged and the messages
    are retried later.
    """
    refused: Sequence[Exception]
    delays = people_retry_delays() if any(map(is_people_task, records)) else retry_delays()
    try:
        refused = delays.set([FailedMessage(record.receipt_handle, receive_count(record)) for record in records])
    except Exception as error:
        refused = [error]
    for reason in refused:
        logger.warning("a failed message will only be retried after the queue's visibility timeout", exc_info=reason)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process a batch of messages concurrently, or a direct invocation.

    Of a batch only the failed messages are reported and retried, within seconds. A direct invocation (`{"bucket": ...,
    "key": ...}` or `{"url": ...}`, from code or a Step Functions task) returns the record of the image.

    Raises:
        UnknownMessage, PictureRefused: only for direct invocations; these names are part of the interface.
    """
    if _is_batch(event):
        processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        count("messages", len(event["Records"]))
        response = async_process_partial_response(
            event=event, record_handler=process_in_thread, processor=processor, context=context
        )
        for _, error, _ in processor.exceptions:
            logger.error("a message failed", exc_info=error)
        if failed := [record for record in processor.fail_messages if isinstance(record, SQSRecord)]:
            delay_retries(failed)
        return response
    ingest_events = messages.parse(json.dumps(event))
    if len(ingest_events) == 1 and isinstance(ingest_events[0], Created | UrlSubmitted):
        count("direct_calls")
        record = asdict(dispatcher().index_now(ingest_events[0], context.aws_request_id))
        return dict(json.loads(json.dumps(record, default=sorted)))  # Lambda cannot encode the sets of tags
    for index, ingest_event in enumerate(ingest_events):
        process_event(ingest_event, f"{context.aws_request_id}/{index}")
    return None


def _is_batch(event: dict[str, Any]) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:sqs"
