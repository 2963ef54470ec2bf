"""cdk-nag's AWS Solutions rules over the application, and what is acknowledged, each with its reason."""

from typing import Final

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks

PREFIXES: Final = "Rights on objects are given by key prefix, and IAM writes a prefix with a wildcard."

ACKNOWLEDGED: Final[dict[str, str]] = {
    "AwsSolutions::AwsSolutions-APIG4": (
        "Routes carry no authorizer of API Gateway: the page, its files and /health are public, and the function "
        "itself decides about every other call."
    ),
    "AwsSolutions::AwsSolutions-S1": (
        "Server access logs would cost more than the pictures for small objects. CloudTrail data events give the same "
        "where a team needs them."
    ),
    "AwsSolutions::AwsSolutions-IAM5[Resource::<StorageBucket5CB7C8EA.Arn>/uploads/*]": PREFIXES,
    "AwsSolutions::AwsSolutions-IAM5[Resource::<StorageBucket5CB7C8EA.Arn>/signatures/*]": PREFIXES,
    "AwsSolutions::AwsSolutions-IAM5[Resource::<StorageBucket5CB7C8EA.Arn>/thumbnails/*]": PREFIXES,
    "CloudFormation-Validate::E3039": (
        "The rule does not know vector indexes yet: attributes of a search schema must be declared too, says "
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchTroubleshooting.html"
    ),
}


def acknowledge(app: App) -> None:
    """Write down why these findings stay."""
    for rule, reason in ACKNOWLEDGED.items():
        Validations.of(app).acknowledge(Acknowledgment(id=rule, reason=reason))


def add_checks(app: App) -> None:
    """Check the application when it is synthesised; an error that is not acknowledged fails it."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
