"""The layer with the packages of the zip functions.

The asset is built when it is published, not when the template is synthesised, so that synthesis needs no network and
no deployment gets an empty layer. The CDK command line runs the asset's `executable` once for each hash:
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.FileSource.html
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

LAYERS: Final = Path(__file__).resolve().parents[2] / "layers"
MADE_FROM: Final = ("runtime/requirements.lock", "runtime/build.py", "wheels.py")
RUNTIME: Final = lambda_.Runtime.PYTHON_3_13


class RuntimeLayer(lambda_.LayerVersion):
    """`layers/runtime` for one architecture; its hash covers the requirements and how they are installed."""

    def __init__(self, scope: Construct, construct_id: str, *, architecture: lambda_.Architecture) -> None:
        command = ["-m", "layers.runtime.build", "--architecture", architecture.name]
        asset = Stack.of(scope).synthesizer.add_file_asset(
            source_hash=_hash(command), executable=[sys.executable, *command]
        )
        bucket = s3.Bucket.from_bucket_name(scope, f"{construct_id}Assets", asset.bucket_name)
        Validations.of(bucket).acknowledge(
            Acknowledgment(
                id="Annotation::@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified",
                reason="The object's key is a hash of what the layer is built from, so each layer has its own key.",
            )
        )
        super().__init__(
            scope,
            construct_id,
            code=lambda_.Code.from_bucket_v2(bucket, asset.object_key),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[architecture],
            description="Packages of PicTrace's zip functions",
        )


def _hash(command: list[str]) -> str:
    digest = hashlib.sha256("\0".join(command).encode())
    for name in MADE_FROM:
        digest.update((LAYERS / name).read_bytes())
    return digest.hexdigest()
