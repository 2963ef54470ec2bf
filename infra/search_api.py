"""The HTTPS endpoint and the function behind it."""

import json

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.assets import function_image
from infra.roles import function_role

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
    """API Gateway's HTTP API; every path goes to the one function, which routes it itself."""

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
        self.function = lambda_.DockerImageFunction(
            self,
            "Function",
            description="Answers the HTTP API",
            code=function_image("api", architecture),
            architecture=architecture,
            memory_size=memory_mb,
            timeout=TIMEOUT,
            environment=environment | {"POWERTOOLS_SERVICE_NAME": "api"},
            role=function_role(self, log_group),
            log_group=log_group,
        )
        api.add_routes(
            path="/{proxy+}",
            methods=[apigateway.HttpMethod.ANY],
            integration=integrations.HttpLambdaIntegration("Integration", self.function),
        )
        api.add_routes(
            path="/",
            methods=[apigateway.HttpMethod.GET],
            integration=integrations.HttpLambdaIntegration("PageIntegration", self.function),
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=rate_per_second, burst_limit=burst),
        )
        raw = stage.node.default_child
        if not isinstance(raw, apigateway.CfnStage):
            raise TypeError("the stage has no CloudFormation resource")
        raw.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log_group.log_group_arn, format=ACCESS_LOG_FORMAT
        )
