"""Events for the functions, as API Gateway and SQS pass them."""

import base64
import json
from typing import Any

import boto3

from infra.local.cloud import LocalCloud
from infra.local.queue_worker import lambda_event


class Events:
    """Events for the functions; every image is new to the collection.

    Until `close`, the bucket sends no events of its own, so that no image is indexed twice.
    """

    def __init__(self, cloud: LocalCloud, images: list[bytes], collection: str) -> None:
        self._collection = collection
        self._bucket = cloud.outputs["BucketName"]
        self._s3 = boto3.client("s3")
        settings: Any = self._s3.get_bucket_notification_configuration(Bucket=self._bucket)
        self._notifications: Any = {name: value for name, value in settings.items() if name != "ResponseMetadata"}
        self._s3.put_bucket_notification_configuration(Bucket=self._bucket, NotificationConfiguration={})
        self._images = images
        self._count = 0

    def close(self) -> None:
        """Let the bucket send its events again."""
        self._s3.put_bucket_notification_configuration(
            Bucket=self._bucket, NotificationConfiguration=self._notifications
        )

    def health(self) -> Any:
        return http_event("GET", "/health")

    def search(self, data: bytes | None = None, effort: str = "balanced") -> Any:
        """Return a search with these bytes, or else with an image of which the collection may hold a copy."""
        shown = base64.b64encode(self._next() if data is None else data).decode()
        query = f"collection={self._collection}&effort={effort}"
        return http_event("POST", "/v1/search", json.dumps({"image_base64": shown}).encode(), query)

    def arrival(self) -> Any:
        key = f"uploads/{self._collection}/{self._count:032x}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._next())
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self._bucket}, "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}},
        }
        message = {"MessageId": key, "ReceiptHandle": "r", "Body": json.dumps({"Records": [record]}), "MD5OfBody": "m"}
        return lambda_event([message], "arn:aws:sqs:us-east-1:123456789012:queue")

    def _next(self) -> bytes:
        """Return an image with bytes that are new to the collection: decoders ignore what follows a JPEG's end."""
        self._count += 1
        return self._images[self._count % len(self._images)] + self._count.to_bytes(4, "big")


def http_event(method: str, path: str, body: bytes | None = None, query: str = "") -> Any:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example.com", "content-type": "application/json"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "b"},
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }
