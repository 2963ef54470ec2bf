"""The HTTP API, its logs and the alarms."""

import json
from typing import Any

import pytest

from infra import app
from shared.domain.queue_times import INGEST_QUEUE
from tests.infra.reading import function, only, resources, text
from tests.retry_times import reported_seconds


def test_every_request_goes_to_the_api_function(document: dict[str, Any]) -> None:
    assert only(document, "AWS::ApiGatewayV2::Route")["RouteKey"] == "$default"
    integration = only(document, "AWS::ApiGatewayV2::Integration")
    assert integration["PayloadFormatVersion"] == "2.0"
    assert text(integration["IntegrationUri"]) == "<SearchFunction>"


def test_keys_are_required_by_default(document: dict[str, Any]) -> None:
    assert function(document, "api")["Environment"]["Variables"]["PICTRACE_ACCESS"] == "keys"
    assert "PICTRACE_ACCESS" not in function(document, "ingest")["Environment"]["Variables"]
    assert resources(document, "AWS::ApiGatewayV2::Authorizer") == {}


def test_a_jwt_issuer_protects_every_route_with_data() -> None:
    document = app.template({"jwt_issuer": "https://issuer.example.org/pool", "jwt_audience": "pictrace-page"})
    authorizer = only(document, "AWS::ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["JwtConfiguration"] == {
        "Issuer": "https://issuer.example.org/pool",
        "Audience": ["pictrace-page"],
    }
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert function(document, "api")["Environment"]["Variables"]["PICTRACE_ACCESS"] == "jwt"
    routes = resources(document, "AWS::ApiGatewayV2::Route").values()
    closed = {route["RouteKey"] for route in routes if route.get("AuthorizationType") == "JWT"}
    assert closed == {"$default"}
    assert {route["RouteKey"] for route in routes} - closed == {
        "GET /",
        "GET /static/{proxy+}",
        "GET /docs",
        "GET /static-offline-docs/{proxy+}",
        "GET /openapi.json",
        "GET /health",
        "GET /shared/{proxy+}",
        "GET /v1/shared/{proxy+}",
        "OPTIONS /{proxy+}",
    }
    assert len({json.dumps(route["Target"]) for route in routes}) == 1


def test_requests_are_throttled_and_logged(document: dict[str, Any]) -> None:
    stage = only(document, "AWS::ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
    assert text(stage["AccessLogSettings"]["DestinationArn"]) == "<AccessLogs>"
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert logged["requestId"] == "$context.requestId"
    assert not [value for value in logged.values() if "authorizer" in value or "query" in value.lower()]


def test_other_sites_may_call_the_api_only_if_configured(document: dict[str, Any]) -> None:
    assert "CorsConfiguration" not in only(document, "AWS::ApiGatewayV2::Api")
    opened = app.template({"allowed_origins": "https://photos.example.org, https://example.org:8443"})
    cors = only(opened, "AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    origins = ["https://photos.example.org", "https://example.org:8443"]
    assert cors["AllowOrigins"] == origins
    assert cors["AllowHeaders"] == ["authorization", "content-type", "x-api-key"]
    assert cors.get("AllowCredentials", False) is False
    (rule,) = only(opened, "AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert [text(origin) for origin in rule["AllowedOrigins"]] == ["<Api>", *origins]


def test_logs_are_kept_for_the_configured_time(document: dict[str, Any]) -> None:
    for given, days in ((document, 30), (app.template({"log_retention_days": "7"}), 7)):
        groups = resources(given, "AWS::Logs::LogGroup")
        assert set(groups) == {"IngestLogs", "ApiLogs", "FetchLogs", "AccessLogs"}
        assert all(group["RetentionInDays"] == days for group in groups.values())


def test_alarms_watch_failures(document: dict[str, Any]) -> None:
    alarms = resources(document, "AWS::CloudWatch::Alarm")
    assert {
        name.removeprefix("Operations"): (alarm.get("MetricName"), alarm["Threshold"]) for name, alarm in alarms.items()
    } == {
        "DeadLettersNotEmpty": ("ApproximateNumberOfMessagesVisible", 1),
        "PeopleDeadLettersNotEmpty": ("ApproximateNumberOfMessagesVisible", 1),
        "Backlog": ("ApproximateAgeOfOldestMessage", 48 * 60),
        "ApiServerErrors": ("5xx", 1),
        "IngestErrors": ("Errors", 1),
        "ApiErrors": ("Errors", 1),
        "FetchErrors": ("Errors", 1),
        "ApiLatency": ("Latency", 5000),
        "IngestThrottles": ("Throttles", 1),
        "ApiThrottles": ("Throttles", 1),
        "FetchThrottles": ("Throttles", 1),
        "TableThrottles": (None, 1),
        "SearchBytes": (None, 100 * 2**30),
    }
    watched = {name: [text(entry["Value"]) for entry in alarm.get("Dimensions", [])] for name, alarm in alarms.items()}
    assert watched["OperationsDeadLettersNotEmpty"] == ["<IngestionDeadLetters>"]
    assert watched["OperationsBacklog"] == ["<IngestionQueue>"]
    assert watched["OperationsIngestErrors"] == ["<IngestionFunction>"]
    assert watched["OperationsApiErrors"] == ["<SearchFunction>"]
    assert watched["OperationsFetchErrors"] == ["<FetchingFunction>"]
    assert watched["OperationsApiServerErrors"] == ["<Api>"]
    backlog = alarms["OperationsBacklog"]
    assert backlog["Statistic"] == "Maximum"
    assert backlog["Threshold"] > max(INGEST_QUEUE.retried_age_seconds, reported_seconds()[-1])
    assert not any("AlarmActions" in alarm for alarm in alarms.values())
    assert not resources(document, "AWS::SNS::Topic")


def test_alarms_send_email_if_an_address_is_configured() -> None:
    document = app.template({"alarm_email": "ops@example.org"})
    subscription = only(document, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.org")
    for alarm in resources(document, "AWS::CloudWatch::Alarm").values():
        assert [text(action) for action in alarm["AlarmActions"]] == ["<OperationsAlarms>"]
    statements = only(document, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allow,) = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert [entry for entry in statements if entry["Effect"] == "Deny"]


@pytest.mark.parametrize(
    "name", ["ApiUrl", "BucketName", "QueueUrl", "DeadLetterQueueUrl", "TableName", "IngestFunctionName"]
)
def test_the_stack_outputs_name_its_resources(document: dict[str, Any], name: str) -> None:
    assert text(document["Outputs"][name]["Value"]).startswith("<")


@pytest.mark.parametrize(
    ("alarm", "output", "queue"),
    [
        ("DeadLettersNotEmpty", "DeadLetterQueueUrl", "<IngestionDeadLetters>"),
        ("PeopleDeadLettersNotEmpty", "PeopleDeadLetterQueueUrl", "<IngestionPeopleDeadLetters>"),
    ],
)
def test_an_alarm_on_dead_letters_names_the_command_that_finds_them(
    document: dict[str, Any], alarm: str, output: str, queue: str
) -> None:
    found = resources(document, "AWS::CloudWatch::Alarm")[f"Operations{alarm}"]
    assert "`python -m infra.operate redrive`" in found["AlarmDescription"]
    assert text(found["Dimensions"][0]["Value"]) == text(document["Outputs"][output]["Value"]) == queue
