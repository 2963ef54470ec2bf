"""A deployed stack, found by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.app import default_context

FOR_A_LOCAL_RUN: Final = (
    "For a local run, add --url http://localhost:8000 to the command if it has that option, or see "
    "`python -m infra.local keys --help`."
)


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
            raise StackNotFound(
                f"{error.response['Error']['Message']}. Name the stack with --stack. {FOR_A_LOCAL_RUN}"
            ) from error
        except BotoCoreError as error:
            reason = str(error).rstrip(".")
            raise StackNotFound(
                f"{reason}. Check the AWS credentials and region in the environment. {FOR_A_LOCAL_RUN}"
            ) from error
        return cls(name, {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})

    @property
    def table(self) -> str:
        return self.outputs["TableName"]


def default_stack_name() -> str:
    return f"PicTrace-{default_context()['stage']}"
