"""Messages of the queue, as the objects that they speak of."""

from collections.abc import Iterator
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes import S3Event
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared.domain.images import ObjectRef

CREATED = "ObjectCreated:"


class UnknownMessage(ValueError):  # noqa: N818
    """The message is of no shape that is understood; it belongs in the dead-letter queue."""


def created_objects(message: SQSRecord) -> Iterator[ObjectRef]:
    """The objects whose creation a message reports; none for S3's test event.

    Raises:
        UnknownMessage: the body is not an S3 event notification.
    """
    try:
        body = message.json_body
    except ValueError as error:
        raise UnknownMessage("the body is not JSON") from error
    if isinstance(body, dict) and body.get("Event") == "s3:TestEvent":
        return
    if not isinstance(body, dict) or not isinstance(body.get("Records"), list):
        raise UnknownMessage("the body is not an S3 event notification")
    try:
        for record in S3Event(body).records:
            if record.event_name.startswith(CREATED):
                entry = record.s3.get_object
                yield ObjectRef(record.s3.bucket.name, unquote_plus(entry.key), entry.version_id)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnknownMessage(f"the S3 event lacks {error}") from error
