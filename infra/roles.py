"""The role of a function, before it is granted anything of the project's."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


def function_role(scope: Construct, log_group: logs.ILogGroup) -> iam.Role:
    """A role that may write to its own log group, where Lambda's managed policy would allow every one."""
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return role
