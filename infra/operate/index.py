"""Index what is already in a bucket."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from tqdm import tqdm

from infra.app import default_context
from infra.operate.bucket_source import Objects, listing
from infra.operate.costs import estimate, indexing
from infra.operate.flow import Queue
from infra.operate.progress import ProgressReport, run_with_progress
from infra.operate.prompts import confirm, printable
from infra.operate.stack import Stack
from infra.prices import VECTOR_SEARCH_GB
from shared.aws.clients import dynamodb_client, s3_client, sqs_client
from shared.domain.images import COLLECTION_PATTERN, UPLOADS_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "index",
        help="index what is already in a bucket",
        description="Index the objects of a bucket or prefix. Count, size and estimated cost come first. It may be "
        "stopped with Ctrl-C and started again at any time: what is indexed and has not changed is skipped.",
    )
    parser.add_argument("source", type=_source, metavar="s3://BUCKET[/PREFIX]", help="what to index")
    parser.add_argument(
        "--collection", type=_collection, help="where the images go (default: what their keys say, else `default`)"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write key, code and reason of the others as CSV")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do it without asking")
    choice.add_argument("--dry-run", action="store_true", help="only show count, size and cost")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Source:
    """A bucket, and what the keys begin with."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return printable(f"s3://{self.bucket}/{self.prefix}")


def _source(text: str) -> Source:
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", text, re.DOTALL)
    if not found:
        raise argparse.ArgumentTypeError("give it as s3://BUCKET or s3://BUCKET/PREFIX")
    return Source(found[1], found[2] or "")


def _collection(text: str) -> str:
    if not re.fullmatch(COLLECTION_PATTERN, text):
        raise argparse.ArgumentTypeError("a collection is 1 to 64 of a-z, 0-9, - and _, a letter or digit first")
    return text


def run(args: argparse.Namespace, stack: Stack) -> int:
    source = readable(args.source, stack)
    s3 = s3_client()
    count, size = measured(s3, source)
    if not count:
        print(f"There is nothing under {source}.")
        return 0
    print(f"{source}: {count:,} objects, {size_of(size)}")
    print(estimate(count, indexing(default_context()["ingest_memory_mb"]), " if all are new"))
    print(f"and ${VECTOR_SEARCH_GB} a GB of the index that looking for near-duplicates examines, and storage")
    if args.dry_run or not (args.yes or confirm(f"Index {count:,} objects?")):
        return 0
    work = Objects(dynamodb_client(), stack.table, source.bucket, args.collection)
    return run_with_progress(
        work,
        Queue(sqs_client(), stack.outputs["QueueUrl"]),
        listing(s3, source.bucket, source.prefix),
        ProgressReport(count, args.report),
    )


def readable(source: Source, stack: Stack) -> Source:
    """The source, if the stack takes images from there.

    Raises:
        LookupError: it does not; the message says what to do.
    """
    own = stack.outputs["BucketName"]
    if source.bucket == own:
        if not source.prefix:
            return Source(own, UPLOADS_PREFIX)
        if not source.prefix.startswith(UPLOADS_PREFIX):
            raise LookupError(f"images of the stack's own bucket are under {UPLOADS_PREFIX}, not {source}.")
        return source
    allowed = [name for name in stack.outputs.get("SourceBuckets", "").split(",") if name]
    if source.bucket not in allowed:
        named = ",".join([*allowed, source.bucket])
        raise LookupError(
            f"the stack may not read the bucket {source.bucket}. Set source_buckets in cdk.json to "
            f'"{named}" and deploy, then try again.'
        )
    return source


def measured(s3: "S3Client", source: Source) -> tuple[int, int]:
    """How many objects there are, and how many bytes they have.

    Raises:
        LookupError: the bucket cannot be listed.
    """
    count, size = 0, 0
    try:
        with tqdm(desc="counting", unit="object", leave=False) as bar:
            for listed in listing(s3, source.bucket, source.prefix):
                count += 1
                size += listed.size
                bar.update()
    except ClientError as error:
        raise LookupError(f"{source} cannot be listed: {error.response['Error']['Message']}") from error
    return count, size


def size_of(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
