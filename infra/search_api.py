"""The HTTPS endpoint and the function behind it."""

import json
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.container_function import ContainerFunction

TIMEOUT = Duration.seconds(29)
"""An HTTP API gives up after 30 seconds."""

ACCESS_LOG_FORMAT = json.dumps(
    {
        name: f"$context.{name}"
        for name in ("requestId", "requestTime", "httpMethod", "path", "status", "responseLength", "responseLatency")
    }
    | {"ip": "$context.identity.sourceIp"}
)


class SearchApi(Construct):
    """API Gateway's HTTP API; every request goes to the one function, which routes it itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.HttpApi,
        environment: dict[str, str],
        architecture: lambda_.Architecture,
        memory_mb: int,
        rate_per_second: int,
        burst: int,
        log_group: logs.ILogGroup,
        access_log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = ContainerFunction(
            self,
            "Function",
            name="api",
            description="Answers the HTTP API",
            architecture=architecture,
            memory_mb=memory_mb,
            timeout=TIMEOUT,
            environment=environment,
            log_group=log_group,
        )
        apigateway.HttpRoute(
            self,
            "Route",
            http_api=api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integrations.HttpLambdaIntegration(
                "Integration", self.function, payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0
            ),
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=rate_per_second, burst_limit=burst),
        )
        # The library's own access log settings are an interface that Python can only implement with a class.
        cast(
            apigateway.CfnStage, stage.node.default_child
        ).access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log_group.log_group_arn, format=ACCESS_LOG_FORMAT
        )
