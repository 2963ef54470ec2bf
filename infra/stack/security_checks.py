"""Check the stack by cdk-nag's AWS Solutions rules, and acknowledge findings with a place and a reason."""

from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from infra.stack.api import PUBLIC
from infra.stack.settings import Stage
from shared.domain.images import SIGNATURES_PREFIX, THUMBNAILS_PREFIX, UPLOADS_PREFIX


class Acknowledged(NamedTuple):
    """A finding that is acknowledged.

    Attributes:
        where: path of the construct below the stack; the finding still fails anywhere else.
        rule: the finding's id, as a failing synthesis prints it.
    """

    where: str
    rule: str
    reason: str


INGEST_ROLE: Final = "Ingestion/FunctionRole"
API_ROLE: Final = "Search/FunctionRole"
FETCH_ROLE: Final = "Fetching/FunctionRole"

PREFIXES: Final = "Permissions on objects are granted by key prefix, which IAM expresses with a wildcard."
NAMED: Final = "The deployer named this bucket, any of whose objects may be an image; they are only read."
TRACING: Final = "X-Ray's two actions to send traces do not support resources; IAM accepts only a wildcard for them."


OWN_BUCKET_ARN: Final = "<StorageBucket5CB7C8EA.Arn>"
RIGHTS: Final = {
    INGEST_ROLE: (UPLOADS_PREFIX, SIGNATURES_PREFIX, THUMBNAILS_PREFIX),
    API_ROLE: (UPLOADS_PREFIX, SIGNATURES_PREFIX, THUMBNAILS_PREFIX),
    FETCH_ROLE: (UPLOADS_PREFIX,),
}
"""Key prefixes in the bucket on which each role has permissions."""


ACKNOWLEDGED: Final = (
    Acknowledged(INGEST_ROLE, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", TRACING),
    Acknowledged(API_ROLE, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", TRACING),
    Acknowledged(FETCH_ROLE, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", TRACING),
    Acknowledged(
        "Fetching/Function",
        "AwsSolutions::AwsSolutions-L1",
        "The project supports Python 3.11 to 3.13 and its image runs 3.13; the zip functions run the same, so that all "
        "functions share one tested Python.",
    ),
)

OWN_BUCKET: Final = Acknowledged(
    "Storage/Bucket",
    "AwsSolutions::AwsSolutions-S1",
    "Server access logs need a second bucket and are delivered at best effort. Uploads and links are signed by the "
    "api function, whose calls the API's access log has; CloudTrail data events show every object where a team "
    "needs them.",
)
OWN_TABLE: Final = Acknowledged(
    "Storage/Table",
    "CloudFormation-Validate::E3039",
    "The rule does not know vector indexes and reports the attributes of their search schema as unused; they must be "
    "declared: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchTroubleshooting.html",
)

WITH_KEYS: Final = (
    Acknowledged(
        "Search/Route",
        "AwsSolutions::AwsSolutions-APIG4",
        "The api function checks an API key at every route that has data, before it reads anything else of the "
        "request; the page, /docs and /health have none. An authorizer of API Gateway would cost a second function.",
    ),
)
WITH_TOKENS: Final = tuple(
    Acknowledged(
        f"Search/{name}",
        "AwsSolutions::AwsSolutions-APIG4",
        "API Gateway checks a token at the default route, which has all data. This one has none: it is the page, the "
        "documentation, the health check or the answer to a browser's preflight.",
    )
    for name in (*PUBLIC, "Preflight")
)


def acknowledged(stage: Stage) -> tuple[Acknowledged, ...]:
    """Return the findings that are acknowledged under these settings."""
    bucket = f"arn:<AWS::Partition>:s3:::{stage.existing_bucket}" if stage.existing_bucket else OWN_BUCKET_ARN
    prefixes = [
        Acknowledged(role, f"AwsSolutions::AwsSolutions-IAM5[Resource::{bucket}/{prefix}*]", PREFIXES)
        for role, prefixes in RIGHTS.items()
        for prefix in prefixes
    ]
    sources = [
        Acknowledged(role, f"AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{name}/*]", NAMED)
        for name in stage.source_buckets
        for role in (INGEST_ROLE, API_ROLE)
    ]
    return (
        *ACKNOWLEDGED,
        *prefixes,
        *sources,
        *(() if stage.existing_bucket else (OWN_BUCKET,)),
        *(() if stage.existing_table else (OWN_TABLE,)),
        *(WITH_TOKENS if stage.jwt_issuer else WITH_KEYS),
    )


def acknowledge(stack: Stack, stage: Stage) -> None:
    """Acknowledge these findings, each with its reason."""
    constructs = {construct.node.path: construct for construct in stack.node.find_all()}
    for finding in acknowledged(stage):
        construct = constructs[f"{stack.node.path}/{finding.where}"]
        Validations.of(construct).acknowledge(Acknowledgment(id=finding.rule, reason=finding.reason))


def add_checks(app: App) -> None:
    """Check the application during synthesis, which fails on an error that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
