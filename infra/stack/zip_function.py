"""A small Lambda function: a zip of the project's own code, on the layer with its packages."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stack.assets import function_code
from infra.stack.container_function import function_role
from infra.stack.runtime_layer import RUNTIME, RuntimeLayer


class ZipFunction(lambda_.Function):
    """The handler of `functions/<name>`, in a role that may only write to its own log group and send traces.

    Args:
        shipped: files and folders that the zip contains in addition to the function's own folder.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        shipped: Sequence[str],
        layer: RuntimeLayer,
        architecture: lambda_.Architecture,
        memory_mb: int,
        timeout: Duration,
        environment: dict[str, str],
        log_group: logs.ILogGroup,
    ) -> None:
        with function_code(name, shipped) as code:
            super().__init__(
                scope,
                construct_id,
                description=description,
                code=code,
                handler=f"functions.{name}.handler.handler",
                runtime=RUNTIME,
                layers=[layer],
                architecture=architecture,
                memory_size=memory_mb,
                timeout=timeout,
                environment=environment | {"POWERTOOLS_SERVICE_NAME": name},
                role=function_role(scope, construct_id, log_group),
                log_group=log_group,
                tracing=lambda_.Tracing.ACTIVE,
            )
        raw = cast(lambda_.CfnFunction, self.node.default_child)
        # The CDK itself declares the dependency on the role twice.
        raw.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
