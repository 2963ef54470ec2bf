"""The HTTPS endpoint, the function behind it, and the authentication of callers."""

import json
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stack.container_function import ContainerFunction
from shared.domain.access import Access

TIMEOUT = Duration.seconds(29)
"""An HTTP API times out after 30 seconds."""

ACCESS_LOG_FORMAT = json.dumps(
    {
        name: f"$context.{name}"
        for name in ("requestId", "requestTime", "httpMethod", "path", "status", "responseLength", "responseLatency")
    }
    | {"ip": "$context.identity.sourceIp"}
)


PUBLIC: Final = {
    "Page": "/",
    "PageFiles": "/static/{proxy+}",
    "Docs": "/docs",
    "DocsFiles": "/static-offline-docs/{proxy+}",
    "OpenApi": "/openapi.json",
    "Health": "/health",
    "SharedPage": "/shared/{proxy+}",
    "Shared": "/v1/shared/{proxy+}",
}
"""Routes that need no token: they return no data, except for those of an album to whoever has a link to it."""


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """The issuer of the JWTs that are accepted, and their audience."""

    issuer: str
    audience: str


class SearchApi(Construct):
    """API Gateway's HTTP API; every request goes to the one function, which routes it itself.

    Without a token issuer the function checks API keys. With one, API Gateway checks a JWT at every route but
    `PUBLIC`, and the function reads its claims.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.HttpApi,
        environment: dict[str, str],
        architecture: lambda_.Architecture,
        model: str,
        model_precision: str,
        face_model: str | None,
        memory_mb: int,
        rate_per_second: int,
        burst: int,
        token_issuer: TokenIssuer | None,
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
            model=model,
            model_precision=model_precision,
            face_model=face_model,
            memory_mb=memory_mb,
            timeout=TIMEOUT,
            environment=environment | {"PICTRACE_ACCESS": Access.JWT if token_issuer else Access.KEYS},
            log_group=log_group,
        )
        self._api = api
        self._integration = integrations.HttpLambdaIntegration(
            "Integration", self.function, payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0
        )
        self._route("Route", apigateway.HttpRouteKey.DEFAULT, token_issuer)
        if token_issuer:
            for name, path in PUBLIC.items():
                self._route(name, apigateway.HttpRouteKey.with_(path, apigateway.HttpMethod.GET))
            # A default route with an authorizer would ask a browser's preflight for a token:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
            self._route("Preflight", apigateway.HttpRouteKey.with_("/{proxy+}", apigateway.HttpMethod.OPTIONS))
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

    def _route(self, name: str, key: apigateway.HttpRouteKey, issuer: TokenIssuer | None = None) -> None:
        apigateway.HttpRoute(
            self,
            name,
            http_api=self._api,
            route_key=key,
            integration=self._integration,
            authorizer=None
            if issuer is None
            else authorizers.HttpJwtAuthorizer("Tokens", issuer.issuer, jwt_audience=[issuer.audience]),
        )
