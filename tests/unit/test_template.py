"""The part of a template that the local cloud deploys."""

from typing import Any

import pytest

from infra.local.template import deployable, function_environment

TEMPLATE: dict[str, Any] = {
    "Parameters": {"BootstrapVersion": {}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}, "DependsOn": ["Alarm", "Table"]},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        "Budget": {"Type": "AWS::Budgets::Budget", "Properties": {}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"CorsConfiguration": {"x": [{"Fn::GetAtt": ["Api", "Endpoint"]}]}, "BucketName": "b"},
        },
        "Api": {"Type": "AWS::ApiGatewayV2::Api"},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Ref": "Function"}}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "ImageConfig": {"Command": ["a.handler"]},
                "Environment": {"Variables": {"TABLE": {"Ref": "Table"}, "LEVEL": "INFO"}},
            },
        },
    },
    "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Api", "Endpoint"]}}, "Name": {"Value": {"Ref": "Table"}}},
}


def test_unsupported_resources_are_removed_with_references_to_them() -> None:
    local = deployable(TEMPLATE)
    assert set(local["Resources"]) == {"Queue", "Table", "Bucket"}
    assert local["Resources"]["Queue"]["DependsOn"] == ["Table"]
    assert local["Resources"]["Bucket"]["Properties"] == {"BucketName": "b"}
    assert set(local["Outputs"]) == {"Name"}
    assert "DependsOn" in TEMPLATE["Resources"]["Queue"]


def test_a_functions_environment_comes_from_the_template() -> None:
    assert function_environment(TEMPLATE, "a.handler", {"Table": "t-1"}) == {"TABLE": "t-1", "LEVEL": "INFO"}
    with pytest.raises(LookupError, match=r"b\.handler"):
        function_environment(TEMPLATE, "b.handler", {})
    with pytest.raises(LookupError, match="Table"):
        function_environment(TEMPLATE, "a.handler", {})
