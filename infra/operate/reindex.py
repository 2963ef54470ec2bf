"""Change the model: describe every stored image with the next one, switch, and clean up."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.app import default_context
from infra.operate.catalogue_source import CatalogueSource
from infra.operate.cleanup import clean_bucket, clean_table
from infra.operate.costs import cleanup_cost, dating_cost, estimate, faces_cost, reindexing_cost
from infra.operate.deployed_stack import DeployedStack
from infra.operate.flow import Queue
from infra.operate.incomplete_source import IncompleteSource
from infra.operate.progress import ProgressReport, run_with_progress
from infra.operate.prompts import confirm
from shared.aws.clients import dynamodb_client, s3_client, sqs_client
from shared.aws.dynamodb import format_attribute
from shared.aws.dynamodb.active_model import CACHE_SECONDS, DynamoActiveModel
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.ingest_messages import IngestMessages
from shared.domain.collections import CollectionEntry
from shared.domain.events import FaceScan

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "reindex",
        help="change the model: describe every image with the next one, switch, clean up",
        description="Describe every stored image with the next model, while searches still use the current one. Stop "
        "it with Ctrl-C and start it again at any time. Then run it with --switch and, when you will not go back, with "
        "--clean.",
    )
    parser.add_argument("--model", help="id of the model (default: the one that the setting next_model names)")
    parser.add_argument("--force", action="store_true", help="switch even if some images are not described yet")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--dry-run", action="store_true", help="only show number and cost")
    step.add_argument(
        "--dates",
        "--tags",
        action="store_true",
        help="read when, by what and where images were taken, and tell what they show, of those that an earlier "
        "version stored",
    )
    step.add_argument(
        "--hashes", action="store_true", help="store the PDQ hashes of images that were stored before `pdq` was on"
    )
    step.add_argument(
        "--faces", action="store_true", help="look again for faces in the collections that have them turned on"
    )
    step.add_argument("--switch", action="store_true", help="use this model for searches from now on")
    step.add_argument("--clean", action="store_true", help="remove every other model's vectors and signatures")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: DeployedStack) -> int:
    if args.dates or args.hashes or args.faces:
        return _find_faces(args, stack) if args.faces else _complete(args, stack)
    model = args.model or stack.outputs.get("NextModel")
    if not model:
        raise LookupError(
            "this deployment has no next model. Set next_model (docs/guides/changing-the-model.md), or use --model."
        )
    dynamodb = dynamodb_client()
    source = CatalogueSource(dynamodb, stack.table, model)
    active = DynamoActiveModel(dynamodb, stack.table, [])
    models, missing = source.survey(source.list_images())
    total = models.total()
    print(f"{total:,} images, {missing:,} of them not described by {model} yet")
    if args.switch:
        if missing and not args.force:
            raise LookupError(f"{missing:,} images would not be found. Run reindex first, or add --force.")
        before = active.stored() or next((name for name, _ in models.most_common() if name != model), model)
        active.switch(model)
        print(f"Searches use {model} within {CACHE_SECONDS} s. To go back: reindex --switch --model {before}")
        return 0
    if args.clean:
        if active.stored() != model or missing:
            raise LookupError(f"{model} is not the model of every search yet. Run reindex, then reindex --switch.")
        print(estimate(total, cleanup_cost()))
        if not (args.yes or confirm("Remove every other model's vectors and signatures? This cannot be undone.")):
            return 0
        removed = clean_table(dynamodb, stack.table, model)
        signatures = clean_bucket(s3_client(), stack.outputs["BucketName"], model)
        print(f"{removed:,} vectors moved or removed, {signatures:,} signatures removed")
        return 0
    print(estimate(missing, reindexing_cost(default_context()["ingest_memory_mb"])))
    if not missing or args.dry_run or not (args.yes or confirm(f"Describe {missing:,} images with {model}?")):
        return 0
    queue = Queue(sqs_client(), stack.outputs["QueueUrl"])
    return run_with_progress(source, queue, source.list_images(), ProgressReport(total))


def _complete(args: argparse.Namespace, stack: DeployedStack) -> int:
    """Have the images read again whose records lack something that does not depend on the model."""
    if args.hashes and default_context()["pdq"] != "on":
        raise LookupError("no PDQ hashes are stored. Set pdq to on in cdk.json, and deploy.")
    source = IncompleteSource(
        dynamodb_client(), stack.table, format_attribute.has_pdq if args.hashes else format_attribute.is_complete
    )
    count = sum(1 for _ in source.list_images())
    missing = "a PDQ hash" if args.hashes else "date or tags, which an earlier version stored"
    print(f"{count:,} images without {missing}")
    print(estimate(count, dating_cost(default_context()["ingest_memory_mb"])))
    if not count or not (args.yes or confirm(f"Read {count:,} images again?")):
        return 0
    queue = Queue(sqs_client(), stack.outputs["QueueUrl"])
    return run_with_progress(source, queue, source.list_images(), ProgressReport(count))


def _find_faces(args: argparse.Namespace, stack: DeployedStack) -> int:
    """Have the deployment look for faces in what it has; it goes on after this command has ended."""
    dynamodb = dynamodb_client()
    catalogue = DynamoCatalogue(dynamodb, stack.table)
    counts = {entry.name: catalogue.count(entry.name) for entry in _collections(dynamodb, stack.table) if entry.faces}
    for name, (images, exact) in counts.items():
        print(f"{name}: {images:,}{'' if exact else ' or more'} images")
    total = sum(images for images, _ in counts.values())
    if not total:
        print("No collection with images has faces on.")
        return 0
    print(estimate(total, faces_cost(default_context()["ingest_memory_mb"])))
    if not (args.yes or confirm(f"Look for faces in {total:,} images?")):
        return 0
    messages = IngestMessages(sqs_client(), stack.outputs["QueueUrl"])
    for name in counts:
        messages.find_faces(FaceScan(name))
    print("Asked for. It is done when the queue is empty.")
    return 0


def _collections(client: "DynamoDBClient", table: str) -> Iterator[CollectionEntry]:
    collections, cursor = DynamoCollections(client, table), None
    while True:
        page = collections.page(limit=100, cursor=cursor)
        yield from page.entries
        cursor = page.cursor
        if cursor is None:
            return
