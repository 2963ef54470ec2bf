"""Monitoring: the dashboard, the alarms, the budget, and who is notified."""

import json
from pathlib import Path
from typing import Any, Final, cast

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match

from bench.cost.use import ALARM_METRICS
from infra import app, prices
from infra.stack.settings import ContextError
from shared.domain.table_schema import (
    ANNOTATED_INDEX,
    DUPLICATES_INDEX,
    FACES_INDEX,
    LISTING_INDEX,
    LOCAL_INDEX,
    PIXELS_INDEX,
    TAKEN_INDEX,
    VECTOR_INDEX,
)
from tests.infra.reading import only, resources, text

MAIL: Final = {"alarm_email": "ops@example.org"}
VECTORS: Final = {VECTOR_INDEX, LOCAL_INDEX, FACES_INDEX}


def widgets(document: dict[str, Any]) -> dict[str, Any]:
    """The dashboard's widgets by their titles."""
    body = json.loads(text(only(document, "AWS::CloudWatch::Dashboard")["DashboardBody"]))
    return {
        one["properties"].get("title", one["type"]): one["properties"] | {"type": one["type"]}
        for one in body["widgets"]
    }


def names(widget: Any) -> list[str]:
    """The names of the metrics in a widget, without its math expressions."""
    return [entry[1] for entry in widget["metrics"] if not isinstance(entry[0], dict)]


def alarm_metrics(metrics: list[Any]) -> set[tuple[str, str]]:
    """The name of each table metric of an alarm, with its index if there is one."""
    found = set()
    for entry in metrics:
        if "MetricStat" in entry:
            metric = entry["MetricStat"]["Metric"]
            dimensions = {one["Name"]: text(one["Value"]) for one in metric["Dimensions"]}
            assert dimensions.pop("TableName") == "<StorageTable>"
            assert metric["Namespace"] == "AWS/DynamoDB"
            found.add((metric["MetricName"], *dimensions.values()))
    return found


def test_the_dashboard_shows_the_operational_metrics(document: dict[str, Any]) -> None:
    shown = widgets(document)
    assert names(shown["Queue: age of the oldest message, s"]) == ["ApproximateAgeOfOldestMessage"]
    assert set(names(shown["Errors"])) == {"Errors", "5xx"}
    assert {"Throttles", "ReadThrottleEvents", "WriteThrottleEvents"} == set(names(shown["Throttles"]))
    assert names(shown["Durations of functions, ms: the slowest in a hundred"]) == ["Duration"] * 3
    assert set(names(shown["API: latency, ms"])) == {"Latency", "Count"}
    examined = shown["Bytes that searches examine"]["metrics"]
    assert {entry[1] for entry in examined} == {"VectorSearchRequestBytes"}
    assert {entry[entry.index("VectorIndexName") + 1] for entry in examined} == VECTORS
    assert len(shown["Alarms"]["alarms"]) == len(resources(document, "AWS::CloudWatch::Alarm"))


def test_the_dashboard_estimates_the_cost_with_the_current_prices(document: dict[str, Any]) -> None:
    shown = widgets(document)
    account = shown["The account this month, $"]["metrics"][0]
    assert account[:4] == ["AWS/Billing", "EstimatedCharges", "Currency", "USD"]
    assert account[4]["region"] == "us-east-1", "no other region has it"
    own = shown["This deployment over the time shown, $"]
    assert own["setPeriodToTimeRange"] is True
    factors = {
        entry[0]["label"]: 1 / int(entry[0]["expression"].rsplit(" / ", 1)[1])
        for entry in own["metrics"]
        if isinstance(entry[0], dict)
    }
    assert factors["searches of vectors"] * 2**30 == pytest.approx(prices.VECTOR_SEARCH_GB, rel=0.01)
    assert factors["writes of vectors"] * 2**30 == pytest.approx(prices.VECTOR_WRITE_GB, rel=0.01)
    assert factors["Ingest: computing"] * 1000 == pytest.approx(1769 / 1024 * prices.LAMBDA_GB_SECOND, rel=0.01)
    assert factors.keys() > {"Api: computing", "Fetch: computing", "table: writes", "table: reads", "API calls"}


def test_the_dashboard_uses_the_higher_lambda_price_on_x86(document: dict[str, Any]) -> None:
    def computing(given: dict[str, Any]) -> float:
        entries = widgets(given)["This deployment over the time shown, $"]["metrics"]
        [one] = [entry[0] for entry in entries if isinstance(entry[0], dict) and entry[0]["label"] == "Api: computing"]
        return 1 / int(one["expression"].rsplit(" / ", 1)[1])

    dearer = computing(app.template({"architecture": "x86_64"}))
    assert dearer / computing(document) == pytest.approx(
        prices.LAMBDA_GB_SECOND_X86 / prices.LAMBDA_GB_SECOND, rel=0.01
    )


def test_alarms_cover_the_table_and_all_its_indexes(document: dict[str, Any]) -> None:
    alarms = resources(document, "AWS::CloudWatch::Alarm")
    assert alarm_metrics(alarms["OperationsSearchBytes"]["Metrics"]) == {
        ("VectorSearchRequestBytes", index) for index in VECTORS
    }
    assert alarm_metrics(alarms["OperationsTableThrottles"]["Metrics"]) == {
        ("ReadThrottleEvents",),
        ("WriteThrottleEvents",),
        ("WriteThrottleEvents", LISTING_INDEX),
        ("WriteThrottleEvents", DUPLICATES_INDEX),
        ("WriteThrottleEvents", ANNOTATED_INDEX),
        ("WriteThrottleEvents", PIXELS_INDEX),
        ("WriteThrottleEvents", TAKEN_INDEX),
    }


def test_the_cost_model_counts_every_alarm_metric(document: dict[str, Any]) -> None:
    alarms = resources(document, "AWS::CloudWatch::Alarm").values()
    looked_at = [len([one for one in alarm.get("Metrics", [{}]) if "Expression" not in one]) for alarm in alarms]
    assert sum(looked_at) == ALARM_METRICS


def test_a_single_slow_call_raises_no_alarm(document: dict[str, Any]) -> None:
    latency = resources(document, "AWS::CloudWatch::Alarm")["OperationsApiLatency"]
    assert (latency["ExtendedStatistic"], latency["EvaluationPeriods"], latency["Period"]) == ("p95", 3, 300)
    assert text(latency["Dimensions"][0]["Value"]) == "<Api>"


def test_the_deployment_names_the_recipient_of_its_alarms() -> None:
    silent, heard = (cast(Stack, app.build(context=given).node.find_child("PicTrace-prod")) for given in ({}, MAIL))
    told = Match.string_like_regexp("alarms notify nobody. Set alarm_email")
    Annotations.from_stack(silent).has_warning("/PicTrace-prod/Operations", told)
    Annotations.from_stack(heard).has_no_warning("*", Match.any_value())
    assert app.template()["Outputs"]["AlarmRecipient"]["Value"] == "nobody: set alarm_email"
    assert app.template(MAIL)["Outputs"]["AlarmRecipient"]["Value"] == "ops@example.org"


def test_a_budget_sends_email_before_it_is_exceeded(document: dict[str, Any]) -> None:
    assert resources(document, "AWS::Budgets::Budget") == {}
    budget = only(app.template(MAIL | {"monthly_budget": "50"}), "AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    assert (budget["Budget"]["TimeUnit"], budget["Budget"]["BudgetType"]) == ("MONTHLY", "COST")
    warned = {one["Notification"]["NotificationType"]: one for one in budget["NotificationsWithSubscribers"]}
    assert {kind: one["Notification"]["Threshold"] for kind, one in warned.items()} == {"ACTUAL": 80, "FORECASTED": 100}
    for one in warned.values():
        assert one["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "ops@example.org"}]


def test_a_budget_without_a_recipient_is_refused() -> None:
    with pytest.raises(ContextError, match="alarm_email, which is not set"):
        app.build(context={"monthly_budget": 50})


def test_the_guide_lists_every_alarm(document: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "guides" / "operations.md").read_text(encoding="utf-8")
    for name in resources(document, "AWS::CloudWatch::Alarm"):
        assert f"`{name.removeprefix('Operations')}`" in page
