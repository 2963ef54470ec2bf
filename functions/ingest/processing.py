"""Process a message, in the function's own process or another: events, log and metrics."""

from threading import Lock

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.ingest.bootstrap import dispatcher
from shared.aws import messages
from shared.domain.events import IngestEvent
from shared.domain.outcomes import Outcome

logger = Logger(service="ingest")
metrics = Metrics(namespace="PicTrace", service="ingest")

_counting = Lock()


def process_message(body: str, message_id: str) -> None:
    """Process the events of one message one after the other."""
    for index, event in enumerate(messages.parse(body)):
        process_event(event, f"{message_id}/{index}")


def process_event(event: IngestEvent, message_id: str) -> None:
    report(dispatcher().dispatch(event, message_id))


def count(name: str, value: int = 1) -> None:
    """Add to a metric from any thread; Powertools itself loses counts when threads add concurrently."""
    with _counting:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def report(outcome: Outcome) -> None:
    """Count and log an outcome."""
    count(f"picture_{outcome.status}")
    logger.info(
        "image %s",
        outcome.status,
        extra={
            "bucket": outcome.object.bucket if outcome.object else None,
            "key": outcome.object.key if outcome.object else None,
            "image_id": outcome.image_key.image_id if outcome.image_key else None,
            "code": outcome.code,
            "reason": outcome.reason,
        },
    )
