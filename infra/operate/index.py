"""Index the objects that a bucket already holds."""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from tqdm import tqdm

from infra.app import default_context
from infra.operate.bucket_source import INTELLIGENT_TIERING, BucketSource, ListedObject, list_objects
from infra.operate.costs import estimate, indexing_cost
from infra.operate.deployed_stack import DeployedStack
from infra.operate.flow import Queue
from infra.operate.progress import ProgressReport, run_with_progress
from infra.operate.prompts import confirm, printable
from infra.prices import VECTOR_SEARCH_GB
from shared.aws.clients import dynamodb_client, s3_client, sqs_client
from shared.domain.images import COLLECTION_PATTERN, UPLOADS_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "index",
        help="index the objects that a bucket already holds",
        description="Index the objects of a bucket or prefix, after showing their number, size and the estimated "
        "cost. Stop it with Ctrl-C and start it again at any time: objects that are indexed and unchanged are "
        "skipped.",
    )
    parser.add_argument("source", type=_parse_source, metavar="s3://BUCKET[/PREFIX]", help="what to index")
    parser.add_argument(
        "--collection",
        type=parse_collection,
        help="collection for the images (default: the one in an object's key, else `default`)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="CSV to write with key, code and reason of every object not indexed",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    choice.add_argument("--dry-run", action="store_true", help="only show number, size and cost")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Source:
    """A bucket and a key prefix."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return printable(f"s3://{self.bucket}/{self.prefix}")


def _parse_source(text: str) -> Source:
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", text, re.DOTALL)
    if not found:
        raise argparse.ArgumentTypeError("write it as s3://BUCKET or s3://BUCKET/PREFIX")
    return Source(found[1], found[2] or "")


def parse_collection(text: str) -> str:
    if not re.fullmatch(COLLECTION_PATTERN, text):
        raise argparse.ArgumentTypeError(
            "use 1 to 64 characters of a-z, 0-9, - and _, and begin with a letter or digit"
        )
    return text


def run(args: argparse.Namespace, stack: DeployedStack) -> int:
    source = resolve_source(args.source, stack, args.collection)
    s3 = s3_client()
    survey = survey_source(s3, source)
    if not survey.count:
        print(f"There are no objects under {source}.")
        return 0
    print(f"{source}: {survey.count:,} objects, {format_size(survey.size)}")
    for line in survey.notes():
        print(line)
    readable_count = survey.count - survey.archived.total()
    print(estimate(readable_count, indexing_cost(default_context()["ingest_memory_mb"]), " if all are new"))
    print(f"plus storage, and ${VECTOR_SEARCH_GB} per GB of the index that the search for near-duplicates examines")
    if args.dry_run or not (args.yes or confirm(f"Index {readable_count:,} objects?")):
        return 0
    work = BucketSource(dynamodb_client(), stack.table, source.bucket, args.collection)
    return run_with_progress(
        work,
        Queue(sqs_client(), stack.outputs["QueueUrl"]),
        list_objects(s3, source.bucket, source.prefix),
        ProgressReport(survey.count, args.report),
    )


def resolve_source(source: Source, stack: DeployedStack, collection: str | None) -> Source:
    """Return the source, with the prefix of uploads if it is the whole of the stack's own bucket.

    Raises:
        LookupError: the stack may not read the source, or not into this collection; the message says what to do.
    """
    own = stack.outputs["BucketName"]
    if source.bucket == own:
        source = source if source.prefix else Source(own, UPLOADS_PREFIX)
        if not source.prefix.startswith(UPLOADS_PREFIX):
            raise LookupError(
                f"the images of the stack's own bucket are under {UPLOADS_PREFIX}, not {source}. "
                f"Use s3://{own}/{UPLOADS_PREFIX}."
            )
        if collection and not source.prefix.startswith(f"{UPLOADS_PREFIX}{collection}/"):
            raise LookupError(
                f"{source} also holds images of other collections, which would move to {collection}. In the stack's "
                "own bucket each key names its collection: leave out --collection."
            )
        return source
    allowed = [name for name in stack.outputs.get("SourceBuckets", "").split(",") if name]
    if source.bucket not in allowed:
        named = ",".join([*allowed, source.bucket])
        raise LookupError(
            f"the stack may not read the bucket {source.bucket}. Set source_buckets in cdk.json to "
            f'"{named}" and deploy, then try again.'
        )
    return source


@dataclass(slots=True)
class SourceSurvey:
    """What a listing shows about a source.

    Attributes:
        size: of all objects together, in bytes.
        archived: number of objects that cannot be read before they are restored, by storage class.
        restoring: number of those that are being restored.
        tiered: number of objects in Intelligent-Tiering.
    """

    count: int = 0
    size: int = 0
    archived: Counter[str] = field(default_factory=Counter)
    restoring: int = 0
    tiered: int = 0

    def add(self, listed: ListedObject) -> None:
        self.count += 1
        self.size += listed.size
        if listed.archived:
            self.archived[listed.storage_class] += 1
            self.restoring += listed.restoring
        self.tiered += listed.storage_class == INTELLIGENT_TIERING

    def notes(self) -> Iterator[str]:
        """Yield what the user should know before the source is indexed."""
        if self.archived:
            classes = ", ".join(f"{count:,} {name}" for name, count in self.archived.most_common())
            restoring = f", {self.restoring:,} of them being restored" if self.restoring else ""
            yield f"  {self.archived.total():,} archived ({classes}){restoring}: left out until they are restored"
        if self.tiered:
            yield f"  {self.tiered:,} {INTELLIGENT_TIERING}: a listing does not show which of them are archived"


def survey_source(s3: "S3Client", source: Source) -> SourceSurvey:
    """List the source and return the number and size of its objects, and how many cannot be read.

    Raises:
        LookupError: the bucket cannot be listed.
    """
    survey = SourceSurvey()
    try:
        with tqdm(desc="counting", unit="object", leave=False) as bar:
            for listed in list_objects(s3, source.bucket, source.prefix):
                survey.add(listed)
                bar.update()
    except ClientError as error:
        message = error.response["Error"]["Message"].rstrip(".")
        raise LookupError(
            f"{source} cannot be listed: {message}. Check the bucket's name and your right s3:ListBucket on it."
        ) from error
    return survey


def format_size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
