"""The queue, its dead-letter queue and the ingest function."""

from typing import Any

import pytest

from infra import app
from shared.aws import messages
from shared.domain import limits
from shared.domain.events import PurgeTrash
from shared.domain.queue_times import INGEST_QUEUE
from shared.settings import ApiSettings, IngestSettings
from tests.infra.reading import function, listed, only, resources, text


def test_messages_are_encrypted_and_dead_lettered_when_they_fail(document: dict[str, Any]) -> None:
    queues = resources(document, "AWS::SQS::Queue")
    assert set(queues) == {
        "IngestionQueue",
        "IngestionDeadLetters",
        "IngestionPeopleQueue",
        "IngestionPeopleDeadLetters",
    }
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    redrive = queues["IngestionQueue"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == INGEST_QUEUE.max_receives == 5
    assert queues["IngestionQueue"]["MessageRetentionPeriod"] == INGEST_QUEUE.retention_days * 86_400
    assert text(redrive["deadLetterTargetArn"]) == "<IngestionDeadLetters>"
    assert queues["IngestionDeadLetters"]["MessageRetentionPeriod"] == 14 * 86_400
    assert "RedrivePolicy" not in queues["IngestionDeadLetters"]


def test_the_visibility_timeout_is_six_times_the_function_timeout(document: dict[str, Any]) -> None:
    queue = resources(document, "AWS::SQS::Queue")["IngestionQueue"]
    timeout = function(document, "ingest")["Timeout"]
    assert timeout == INGEST_QUEUE.function_seconds
    assert queue["VisibilityTimeout"] == INGEST_QUEUE.visibility_seconds == 6 * timeout


def test_the_function_receives_the_urls_of_both_queues(document: dict[str, Any]) -> None:
    variables = function(document, "ingest")["Environment"]["Variables"]
    assert text(variables["PICTRACE_QUEUE"]) == "<IngestionQueue>"
    assert text(variables["PICTRACE_DEAD_LETTERS"]) == "<IngestionDeadLetters>"


TOPIC = "arn:aws:sns:eu-west-1:123456789012:images"


def senders(document: dict[str, Any], policy: str) -> dict[str, Any]:
    """The conditions under which each service may send to a queue."""
    statements = resources(document, "AWS::SQS::QueuePolicy")[policy]["PolicyDocument"]["Statement"]
    allowed = [entry for entry in statements if entry["Effect"] == "Allow"]
    assert all("sqs:SendMessage" in listed(entry["Action"]) for entry in allowed)
    return {
        f"{entry['Principal']['Service']} {text(next(iter(listed(_source(entry)))))}": entry["Condition"]
        for entry in allowed
    }


def _source(statement: dict[str, Any]) -> Any:
    (condition,) = [value for key, value in statement["Condition"].items() if key.startswith("Arn")]
    return condition["aws:SourceArn"]


def test_only_this_stacks_bucket_and_bus_may_send(document: dict[str, Any]) -> None:
    allowed = senders(document, "IngestionQueuePolicy")
    assert set(allowed) == {
        "s3.amazonaws.com arn:<AWS::Partition>:s3:::pictrace-prod-*",
        "events.amazonaws.com <IngestionSubmitted>",
        "events.amazonaws.com <IngestionPurge>",
    }
    bucket = allowed["s3.amazonaws.com arn:<AWS::Partition>:s3:::pictrace-prod-*"]
    assert text(bucket["StringEquals"]["aws:SourceAccount"]) == "<AWS::AccountId>"
    assert set(senders(document, "IngestionDeadLettersPolicy")) == {
        "events.amazonaws.com <IngestionSubmitted>",
        "events.amazonaws.com <IngestionPurge>",
    }


def test_the_trash_is_purged_daily(document: dict[str, Any]) -> None:
    rule = resources(document, "AWS::Events::Rule")["IngestionPurge"]
    assert rule["ScheduleExpression"] == "rate(1 day)"
    (target,) = rule["Targets"]
    assert text(target["Arn"]) == "<IngestionQueue>"
    assert messages.parse(target["Input"]) == [PurgeTrash()]


def test_configured_buckets_and_topics_may_send() -> None:
    document = app.template({"source_buckets": "photos, more-photos", "source_topics": TOPIC})
    statements = resources(document, "AWS::SQS::QueuePolicy")["IngestionQueuePolicy"]["PolicyDocument"]["Statement"]
    (buckets,) = [one for one in statements if one.get("Sid") == "UploadsBucket"]
    assert [text(arn) for arn in buckets["Condition"]["ArnLike"]["aws:SourceArn"]] == [
        "arn:<AWS::Partition>:s3:::pictrace-prod-*",
        "arn:<AWS::Partition>:s3:::photos",
        "arn:<AWS::Partition>:s3:::more-photos",
    ]
    assert f"sns.amazonaws.com {TOPIC}" in senders(document, "IngestionQueuePolicy")
    subscription = only(document, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["TopicArn"]) == ("sqs", TOPIC)
    rules = resources(document, "AWS::Events::Rule")
    assert rules["IngestionSourceBuckets"]["EventPattern"]["detail"] == {"bucket": {"name": ["photos", "more-photos"]}}
    assert function(document, "ingest")["Environment"]["Variables"]["PICTRACE_SOURCE_BUCKETS"] == "photos,more-photos"


def test_topics_of_one_name_in_several_regions_may_send() -> None:
    elsewhere = TOPIC.replace("eu-west-1", "us-east-1")
    document = app.template({"source_topics": f"{TOPIC}, {elsewhere}, {TOPIC}", "source_buckets": "photos,photos"})
    subscriptions = resources(document, "AWS::SNS::Subscription").values()
    assert {(one["TopicArn"], one.get("Region")) for one in subscriptions} == {
        (TOPIC, "eu-west-1"),
        (elsewhere, "us-east-1"),
    }
    assert len(subscriptions) == 2
    assert function(document, "ingest")["Environment"]["Variables"]["PICTRACE_SOURCE_BUCKETS"] == "photos"


def test_events_that_cannot_be_delivered_are_dead_lettered(document: dict[str, Any]) -> None:
    (target,) = resources(document, "AWS::Events::Rule")["IngestionSubmitted"]["Targets"]
    assert text(target["Arn"]) == "<IngestionQueue>"
    assert text(target["DeadLetterConfig"]["Arn"]) == "<IngestionDeadLetters>"
    assert resources(document, "AWS::Events::EventBusPolicy") == {}


def test_the_bucket_name_fits_even_with_the_longest_stage() -> None:
    """CloudFormation names a bucket `<stack>-<logical id>-<12 characters>` and truncates it to 63 characters."""
    document = app.template({"stage": "a" * 12})
    (bucket,) = [name for name, entry in document["Resources"].items() if entry["Type"] == "AWS::S3::Bucket"]
    assert len(f"PicTrace-{'a' * 12}-{bucket}-{'x' * 12}") <= 63


def test_a_function_that_sends_to_a_queue_which_invokes_it_is_not_stopped_as_a_loop(document: dict[str, Any]) -> None:
    """Unless it is allowed, Lambda stops a function that led to itself 16 times, as a purge of 1,000 images does."""
    loops = set()
    for mapping in resources(document, "AWS::Lambda::EventSourceMapping").values():
        queue, name = text(mapping["EventSourceArn"]), text(mapping["FunctionName"])
        properties = resources(document, "AWS::Lambda::Function")[name.strip("<>")]
        if queue in _sends_to(document, text(properties["Role"])):
            loops.add(queue)
            assert properties["RecursiveLoop"] == "Allow"
    assert loops == {"<IngestionQueue>", "<IngestionPeopleQueue>"}
    assert function(document, "api")["RecursiveLoop"] == "Terminate"


def _sends_to(document: dict[str, Any], role: str) -> set[str]:
    return {
        text(resource)
        for policy in resources(document, "AWS::IAM::Policy").values()
        if role in map(text, policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "sqs:SendMessage" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def test_batches_report_failures_and_concurrency_is_limited(document: dict[str, Any]) -> None:
    mapping = mappings(document)["<IngestionQueue>"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}
    assert mapping["BatchSize"] == limits.BATCH_MESSAGES


def mappings(document: dict[str, Any]) -> dict[str, Any]:
    """The event source mappings by their queue."""
    found = resources(document, "AWS::Lambda::EventSourceMapping").values()
    return {text(mapping["EventSourceArn"]): mapping for mapping in found}


def test_tasks_on_people_come_in_order_and_one_at_a_time(document: dict[str, Any]) -> None:
    mapping = mappings(document)["<IngestionPeopleQueue>"]
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    queues = resources(document, "AWS::SQS::Queue")
    assert all(queues[f"IngestionPeople{name}"]["FifoQueue"] is True for name in ("Queue", "DeadLetters"))
    redrive = queues["IngestionPeopleQueue"]["RedrivePolicy"]
    assert text(redrive["deadLetterTargetArn"]) == "<IngestionPeopleDeadLetters>"
    assert text(function(document, "api")["Environment"]["Variables"]["PICTRACE_PEOPLE_QUEUE"]) == (
        "<IngestionPeopleQueue>"
    )


@pytest.mark.parametrize(("name", "settings"), [("ingest", IngestSettings), ("api", ApiSettings)])
def test_the_settings_can_be_read_from_a_functions_environment(
    document: dict[str, Any], name: str, settings: type[IngestSettings | ApiSettings]
) -> None:
    properties = function(document, name)
    environment = {key: text(value) for key, value in properties["Environment"]["Variables"].items()}
    read = settings.from_environ(environment)
    assert (read.bucket, read.table) == ("<StorageBucket>", "<StorageTable>")
    assert [folder.as_posix() for folder in read.model_dirs] == ["/opt/resnet50"]
    assert environment["POWERTOOLS_SERVICE_NAME"] == name
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(limits.MAX_PIXELS)
    assert environment["OPENCV_IO_MAX_IMAGE_WIDTH"] == str(limits.MAX_SIDE)
    assert environment["OPENCV_IO_MAX_IMAGE_HEIGHT"] == str(limits.MAX_SIDE)
    assert "PYTHONPATH" not in environment


@pytest.mark.parametrize(("context", "stored"), [({}, False), ({"pdq": "off"}, False), ({"pdq": "on"}, True)])
def test_pdq_hashes_are_stored_where_the_setting_says_so(context: dict[str, str], stored: bool) -> None:
    properties = function(app.template(context), "ingest")
    environment = {key: text(value) for key, value in properties["Environment"]["Variables"].items()}
    assert IngestSettings.from_environ(environment).pdq is stored


@pytest.mark.parametrize("name", ["ingest", "api"])
def test_functions_are_traced_and_logged_and_reserve_no_concurrency(document: dict[str, Any], name: str) -> None:
    properties = function(document, name)
    assert properties["PackageType"] == "Image"
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert text(properties["LoggingConfig"]["LogGroup"]) == {"ingest": "<IngestLogs>", "api": "<ApiLogs>"}[name]
    assert "ReservedConcurrentExecutions" not in properties


def test_the_fetch_function_is_traced(document: dict[str, Any]) -> None:
    assert function(document, "fetch")["TracingConfig"] == {"Mode": "Active"}


def test_the_stack_contains_no_custom_resources(document: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in document["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("Custom::", "AWS::CloudFormation::"))]
    assert len(resources(document, "AWS::Lambda::Function")) == 3


def test_settings_reach_the_functions() -> None:
    document = app.template(
        {"architecture": "x86_64", "ingest_memory_mb": "3008", "api_memory_mb": 1024, "max_concurrency": "20"}
    )
    ingest, api = function(document, "ingest"), function(document, "api")
    assert (ingest["MemorySize"], api["MemorySize"]) == (3008, 1024)
    assert ingest["Architectures"] == api["Architectures"] == ["x86_64"]
    assert sorted(one["ScalingConfig"]["MaximumConcurrency"] for one in mappings(document).values()) == [2, 20]
