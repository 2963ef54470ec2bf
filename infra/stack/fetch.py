"""The function that fetches images from the web: it handles untrusted responses, with minimal permissions."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stack.runtime_layer import RuntimeLayer
from infra.stack.zip_function import ZipFunction
from shared.domain.limits import FETCH_FUNCTION_SECONDS

SHIPPED: Final = (
    "shared/__init__.py",
    "shared/settings.py",
    "shared/version.py",
    "shared/domain",
    "shared/net",
    "shared/aws/__init__.py",
    "shared/aws/clients.py",
    "shared/aws/dynamodb/__init__.py",
    "shared/aws/dynamodb/vector_serializer.py",
    "shared/aws/objects.py",
)
MEMORY_MB: Final = 512
"""The largest image is in memory twice while it is read; more memory also buys the processor time that TLS needs."""


class Fetching(Construct):
    """The fetch function. It runs outside any VPC, so no private network is within its reach."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        architecture: lambda_.Architecture,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = ZipFunction(
            self,
            "Function",
            name="fetch",
            description="Fetches images from the web",
            shipped=SHIPPED,
            layer=RuntimeLayer(self, "Runtime", architecture=architecture),
            architecture=architecture,
            memory_mb=MEMORY_MB,
            timeout=Duration.seconds(FETCH_FUNCTION_SECONDS),
            environment={"PICTRACE_BUCKET": bucket_name, "POWERTOOLS_LOG_LEVEL": "INFO"},
            log_group=log_group,
        )
