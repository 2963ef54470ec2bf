"""A deployed stack, found by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.app import default_context


class StackNotFound(LookupError):  # noqa: N818
    """The stack cannot be read; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The outputs of a stack; docs/guides/deployment.md lists them."""

    name: str
    outputs: Mapping[str, str]

    @classmethod
    def find(cls, name: str) -> Self:
        """Return the stack with its outputs.

        Raises:
            StackNotFound: there is no such stack, or CloudFormation cannot be reached.
        """
        try:
            found = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            raise StackNotFound(f"{error.response['Error']['Message']}. Name the stack with --stack.") from error
        except BotoCoreError as error:
            reason = str(error).rstrip(".")
            raise StackNotFound(f"{reason}. Check the AWS credentials and region in the environment.") from error
        return cls(name, {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})

    @property
    def table(self) -> str:
        return self.outputs["TableName"]


def default_stack_name() -> str:
    return f"PicTrace-{default_context()['stage']}"
