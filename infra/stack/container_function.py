"""A Lambda function that runs the project's container image."""

from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stack.assets import function_image

ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy's threads compete with LiteRT's for the same cores; without them, ingest takes half the time."""


def function_role(scope: Construct, construct_id: str, log_group: logs.ILogGroup) -> iam.Role:
    """Create a role for the function `construct_id` that may write to its own log group.

    Lambda's managed policy would let the function write to every log group of the account.
    """
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return role


class ContainerFunction(lambda_.DockerImageFunction):
    """The handler of `functions/<name>`, in a role that may only write to its own log group and send traces.

    Args:
        recursive_loop: what Lambda does once a message has led to 16 more of the function's, each to the next.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        architecture: lambda_.Architecture,
        model: str,
        model_precision: str,
        face_model: str | None,
        memory_mb: int,
        timeout: Duration,
        environment: dict[str, str],
        log_group: logs.ILogGroup,
        recursive_loop: lambda_.RecursiveLoop = lambda_.RecursiveLoop.TERMINATE,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=description,
            code=function_image(name, model, model_precision, face_model),
            architecture=architecture,
            memory_size=memory_mb,
            timeout=timeout,
            environment=environment | ONE_THREAD | {"POWERTOOLS_SERVICE_NAME": name},
            role=function_role(scope, construct_id, log_group),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            recursive_loop=recursive_loop,
        )
        raw = cast(lambda_.CfnFunction, self.node.default_child)
        # The CDK itself declares the dependency on the role twice.
        raw.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
