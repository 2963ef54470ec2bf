"""Change the model: describe every stored image by the next one, switch, and clean up."""

import argparse
from typing import TYPE_CHECKING

from infra.app import default_context
from infra.operate.catalogue_source import Images
from infra.operate.cleanup import clean_bucket, clean_table
from infra.operate.costs import cleaning, estimate, reindexing
from infra.operate.flow import Queue
from infra.operate.progress import ProgressReport, run_with_progress
from infra.operate.prompts import confirm
from infra.operate.stack import Stack
from shared.aws.clients import dynamodb_client, s3_client, sqs_client
from shared.aws.dynamodb.active_model import CACHE_SECONDS, ActiveModel

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "reindex",
        help="change the model: describe every image by the next one, switch, clean up",
        description="Describe every stored image by the next model, while searches go on asking the one before. It "
        "may be stopped with Ctrl-C and started again. Then --switch, and when nobody wants to go back, --clean.",
    )
    parser.add_argument("--model", help="id of the model (default: what the setting next_model names)")
    parser.add_argument("--force", action="store_true", help="switch although some images are not described yet")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--dry-run", action="store_true", help="only show count and cost")
    step.add_argument("--switch", action="store_true", help="have searches ask this model from now on")
    step.add_argument("--clean", action="store_true", help="remove every other model's vectors and signatures")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, stack: Stack) -> int:
    model = args.model or stack.outputs.get("NextModel")
    if not model:
        raise LookupError(
            "this deployment holds no next model. Set next_model (docs/guides/changing-the-model.md) or give --model."
        )
    dynamodb = dynamodb_client()
    images = Images(dynamodb, stack.table, model)
    active = ActiveModel(dynamodb, stack.table, [])
    models, missing = images.survey(images.every())
    total = models.total()
    print(f"{total:,} images, {missing:,} of them not described by {model} yet")
    if args.switch:
        if missing and not args.force:
            raise LookupError(f"{missing:,} images would not be found. Run reindex first, or say --force.")
        before = active.stored() or next((name for name, _ in models.most_common() if name != model), model)
        active.switch(model)
        print(f"Searches ask {model} within {CACHE_SECONDS} s. To go back: reindex --switch --model {before}")
        return 0
    if args.clean:
        if active.stored() != model or missing:
            raise LookupError(f"searches do not all go by {model} yet: reindex, then reindex --switch.")
        print(estimate(total, cleaning()))
        if not (args.yes or confirm("Remove every other model's vectors and signatures? There is no way back.")):
            return 0
        removed = clean_table(dynamodb, stack.table, model)
        signatures = clean_bucket(s3_client(), stack.outputs["BucketName"], model)
        print(f"{removed:,} vectors moved or removed, {signatures:,} signatures removed")
        return 0
    print(estimate(missing, reindexing(default_context()["ingest_memory_mb"])))
    if not missing or args.dry_run or not (args.yes or confirm(f"Describe {missing:,} images by {model}?")):
        return 0
    queue = Queue(sqs_client(), stack.outputs["QueueUrl"])
    return run_with_progress(images, queue, images.every(), ProgressReport(total))
