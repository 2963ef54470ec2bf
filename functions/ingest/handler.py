"""Entry point of the ingest function: a batch of SQS messages."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.ingest.bootstrap import indexer
from shared.aws.events import created_objects

logger = Logger(service="ingest")
metrics = Metrics(namespace="PicTrace", service="ingest")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def index_message(record: SQSRecord) -> None:
    """Index every object that a message reports."""
    for source in created_objects(record):
        outcome = indexer().index(source)
        metrics.add_metric(name=f"picture_{outcome.status}", unit=MetricUnit.Count, value=1)
        logger.info(
            "picture %s",
            outcome.status,
            extra={
                "bucket": source.bucket,
                "key": source.key,
                "image_id": outcome.image_id,
                "code": outcome.code,
            },
        )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Index what the batch's messages report; a message that failed is reported alone and comes again."""
    metrics.add_metric(name="messages", unit=MetricUnit.Count, value=len(event["Records"]))
    response = process_partial_response(event=event, record_handler=index_message, processor=processor, context=context)
    for _, error, _ in processor.exceptions:
        logger.error("a message failed", exc_info=error)
    return response
