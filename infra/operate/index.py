"""Index what is already in a bucket."""

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
from infra.operate.bucket_source import TIERED, Listed, Objects, listing
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
        "--collection",
        type=collection_name,
        help="where the images go (default: what their keys say, else `default`)",
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


def collection_name(text: str) -> str:
    if not re.fullmatch(COLLECTION_PATTERN, text):
        raise argparse.ArgumentTypeError("a collection is 1 to 64 of a-z, 0-9, - and _, a letter or digit first")
    return text


def run(args: argparse.Namespace, stack: Stack) -> int:
    source = readable(args.source, stack, args.collection)
    s3 = s3_client()
    found = measured(s3, source)
    if not found.count:
        print(f"There is nothing under {source}.")
        return 0
    print(f"{source}: {found.count:,} objects, {size_of(found.size)}")
    for line in found.remarks():
        print(line)
    readable_count = found.count - found.archived.total()
    print(estimate(readable_count, indexing(default_context()["ingest_memory_mb"]), " if all are new"))
    print(f"and ${VECTOR_SEARCH_GB} a GB of the index that looking for near-duplicates examines, and storage")
    if args.dry_run or not (args.yes or confirm(f"Index {readable_count:,} objects?")):
        return 0
    work = Objects(dynamodb_client(), stack.table, source.bucket, args.collection)
    return run_with_progress(
        work,
        Queue(sqs_client(), stack.outputs["QueueUrl"]),
        listing(s3, source.bucket, source.prefix),
        ProgressReport(found.count, args.report),
    )


def readable(source: Source, stack: Stack, collection: str | None) -> Source:
    """The source, if the stack takes images from there, and into this collection.

    Raises:
        LookupError: it does not; the message says what to do.
    """
    own = stack.outputs["BucketName"]
    if source.bucket == own:
        source = source if source.prefix else Source(own, UPLOADS_PREFIX)
        if not source.prefix.startswith(UPLOADS_PREFIX):
            raise LookupError(f"images of the stack's own bucket are under {UPLOADS_PREFIX}, not {source}.")
        if collection and not source.prefix.startswith(f"{UPLOADS_PREFIX}{collection}/"):
            raise LookupError(
                f"images of other collections are under {source} too, and would move to {collection}. The keys of "
                "the stack's own bucket name their collection: leave out --collection."
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
class Measured:
    """What a listing shows of a source.

    Attributes:
        size: bytes of all objects.
        archived: objects that cannot be read before they are restored, by storage class.
        restoring: how many of those are being restored.
        tiered: objects in Intelligent-Tiering.
    """

    count: int = 0
    size: int = 0
    archived: Counter[str] = field(default_factory=Counter)
    restoring: int = 0
    tiered: int = 0

    def add(self, listed: Listed) -> None:
        self.count += 1
        self.size += listed.size
        if listed.archived:
            self.archived[listed.storage_class] += 1
            self.restoring += listed.restoring
        self.tiered += listed.storage_class == TIERED

    def remarks(self) -> Iterator[str]:
        """What to know of it before it is indexed."""
        if self.archived:
            classes = ", ".join(f"{count:,} {name}" for name, count in self.archived.most_common())
            restoring = f", {self.restoring:,} of them being restored" if self.restoring else ""
            yield f"  {self.archived.total():,} archived ({classes}){restoring}: left out until they are restored"
        if self.tiered:
            yield f"  {self.tiered:,} {TIERED}: a listing does not show which of them are archived"


def measured(s3: "S3Client", source: Source) -> Measured:
    """Count and size of what is there, and what of it cannot be read.

    Raises:
        LookupError: the bucket cannot be listed.
    """
    found = Measured()
    try:
        with tqdm(desc="counting", unit="object", leave=False) as bar:
            for listed in listing(s3, source.bucket, source.prefix):
                found.add(listed)
                bar.update()
    except ClientError as error:
        raise LookupError(f"{source} cannot be listed: {error.response['Error']['Message']}") from error
    return found


def size_of(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
