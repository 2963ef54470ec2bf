"""The handlers with the events that Lambda passes to them."""

import base64
import json
import time
from typing import Any

import boto3
import pytest

from infra.local.queue_worker import FunctionContext, QueueWorker, lambda_event
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import until


def http_event(method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    """Payload format 2.0, https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "ANY /{proxy+}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example.com", **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"},
            "requestId": "id",
            "routeKey": "ANY /{proxy+}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


def call(event: Any) -> Any:
    from functions.api.handler import handler

    context: Any = FunctionContext("api")
    return handler(event, context)


def test_the_api_handler_answers_an_api_gateway_event(running: PicTrace) -> None:
    answer = call(http_event("GET", "/health"))
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")


def test_a_search_accepts_a_binary_body(running: PicTrace, collection: str) -> None:
    image_id = running.add(noise(80), collection=collection)
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + noise(80) + b"\r\n--b--\r\n"
    answer = call(
        http_event(
            "POST",
            f"/v1/search?collection={collection}",
            body=body,
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
    )
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["matches"][0]["image_id"] == image_id


def test_an_image_is_returned_as_binary(running: PicTrace) -> None:
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n%s\r\n' % (part, noise(81))
        for part in (b"a", b"b")
    )
    answer = call(
        http_event(
            "POST",
            "/v1/compare?picture=difference",
            body=body + b"--b--\r\n",
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
    )
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]).startswith(b"\x89PNG")


@pytest.mark.parametrize("body", ["é", "a", "@@@@", "a-_b"])
def test_invalid_base64_answers_400(running: PicTrace, body: str) -> None:
    event = http_event("POST", "/v1/search", body=b"x", headers={"content-type": "application/json"})
    event["body"] = body
    answer = call(event)
    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"] == "application/problem+json"


def test_one_bad_message_fails_alone_in_its_batch(running: PicTrace, collection: str) -> None:
    from functions.ingest.handler import handler

    bucket = running.cloud.outputs["BucketName"]
    key = f"uploads/{collection}.png"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=noise(90))

    def s3_event(name: str) -> str:
        record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": name}}}
        return json.dumps({"Records": [record]})

    bodies = ["no json", s3_event(key), '{"Event": "s3:TestEvent"}', s3_event("uploads/absent.png")]
    context: Any = FunctionContext("ingest")
    messages: list[Any] = [
        {"MessageId": str(index), "ReceiptHandle": "r", "Body": body, "MD5OfBody": "m"}
        for index, body in enumerate(bodies)
    ]
    answer = handler(lambda_event(messages, "arn:aws:sqs:us-east-1:123456789012:q"), context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    [match] = running.search(noise(90), k=1)["matches"]
    assert match["verdict"] == "identical"
    assert running.client.delete(f"/v1/images/{match['image_id']}").status_code == 204


class TestWorker:
    """The local replacement for the event source mapping."""

    @pytest.fixture
    def queue(self, running: PicTrace) -> str:
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="worker-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        made = sqs.create_queue(QueueName="worker", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "1"})
        return made["QueueUrl"]

    def test_a_handled_message_is_deleted_and_a_failing_one_is_dead_lettered(self, queue: str) -> None:
        sqs = boto3.client("sqs")
        for body in ("good", "bad"):
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        seen: list[str] = []

        def handler(event: Any, _: Any) -> Any:
            seen.extend(record["body"] for record in event["Records"])
            failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

        worker = QueueWorker(queue_url=queue, handler=handler, function_name="f", batch_size=10)
        dead = sqs.get_queue_url(QueueName="worker-dead")["QueueUrl"]

        def died() -> Any:
            worker.poll(wait_seconds=0)
            return sqs.receive_message(QueueUrl=dead).get("Messages")

        [message] = until(died)
        assert sorted(seen) == ["bad", "bad", "good"]
        assert message["Body"] == "bad"

    def test_a_message_is_redelivered_after_its_handler_raises(self, queue: str) -> None:
        """As in AWS, the message stays hidden for the whole visibility timeout of the queue."""
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="again")
        calls: list[float] = []

        def handler(event: Any, _: Any) -> Any:
            [_] = event["Records"]
            calls.append(time.monotonic())
            if len(calls) == 1:
                raise RuntimeError("out of memory")

        worker = QueueWorker(queue_url=queue, handler=handler, function_name="f", batch_size=10)

        def done() -> bool:
            worker.poll(wait_seconds=0)
            return len(calls) > 1

        until(done)
        assert calls[1] - calls[0] > 0.9
        worker.poll(wait_seconds=0)
        assert len(calls) == 2
