"""The bill of a month, per component, and of two other ways to go."""

from dataclasses import replace
from typing import Final

from bench.cost.use import (
    ALARM_METRICS,
    ANSWER_BYTES,
    BATCH,
    EXAMINED_BYTES,
    GB,
    GRAPH_BYTES,
    HOURS_MONTH,
    IMAGE_GB,
    LOG_BYTES_A_BATCH,
    LOG_BYTES_A_SEARCH,
    ORIGINAL_BYTES,
    S3_SECONDS,
    SIGNATURE_BYTES,
    STATE_SECONDS,
    TRACED,
    Use,
)
from infra import prices
from shared.domain.limits import DEFAULT_PAGE

RECORDS_SHOWN: Final = 5
READ_UNIT: Final = 4096
"""Bytes of an item that one unit reads, strongly consistent."""
WRITE_UNIT: Final = 1024
BESIDE_BYTES: Final = 1_000
"""Of an image's source, of its object's entry and of the upload's state."""

Lines = dict[str, float]
"""Dollars by component."""


def uploading(use: Use, images: float) -> Lines:
    """What an image costs before its event: the call for its form, the upload itself, one question for its state."""
    asked = prices.HTTP_API_REQUEST + prices.LAMBDA_REQUEST + STATE_SECONDS * use.api_gb * prices.LAMBDA_GB_SECOND
    each = {
        "S3: the upload": prices.S3_PUT,
        "API: form and state": 2 * asked + prices.TABLE_WRITE + prices.TABLE_READ,
    }
    return {name: images * dollars for name, dollars in each.items()}


def indexing(use: Use, images: float) -> Lines:
    """Everything from an image's event on."""
    each = {
        "DynamoDB: vectors": use.image_vector_bytes / GB * prices.VECTOR_WRITE_GB
        + use.image_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": use.image_write_units * prices.TABLE_WRITE + use.image_reads * prices.TABLE_READ,
        "S3: signature and thumbnail": use.image_puts * prices.S3_PUT,
        "S3: reading": use.image_gets * prices.S3_GET,
        "Lambda: computing": use.image_seconds * use.ingest_gb * prices.LAMBDA_GB_SECOND
        + prices.LAMBDA_REQUEST / BATCH,
        "SQS and events": (1 + 2 / BATCH) * prices.SQS_REQUEST + prices.BUS_EVENT,
        "logs and traces": (use.image_log_bytes + LOG_BYTES_A_BATCH / BATCH) / GB * prices.LOGS_GB
        + TRACED * prices.TRACE / BATCH,
    }
    return {name: images * dollars for name, dollars in each.items()}


def ingesting(use: Use, images: float) -> Lines:
    """Images uploaded through the API's own form, and indexed."""
    return uploading(use, images) | indexing(use, images)


def searching(use: Use, searches: float) -> Lines:
    """Searches with an image in the request."""
    each = {
        "S3: signatures": use.search_gets * prices.S3_GET,
        "Lambda: computing": use.search_seconds * use.api_gb * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST,
        "API Gateway": prices.HTTP_API_REQUEST,
        "DynamoDB: vectors": use.search_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": RECORDS_SHOWN * -(-use.image_item_bytes // READ_UNIT) * prices.TABLE_READ,
        "logs, traces, transfer": LOG_BYTES_A_SEARCH / GB * prices.LOGS_GB
        + TRACED * prices.TRACE
        + ANSWER_BYTES / GB * prices.TRANSFER_OUT_GB,
    }
    return {name: searches * dollars for name, dollars in each.items()}


def viewing(use: Use, views: float, *, linked: bool = True) -> Lines:
    """Views of the page with all of its thumbnails, counting a collection that fits one read.

    Args:
        linked: whether listings carry the thumbnails' links, or each is a call of the API.
    """
    asked = 0 if linked else DEFAULT_PAGE
    calls = use.view_calls + asked
    seconds = calls * STATE_SECONDS + asked * use.thumbnail_heads * S3_SECONDS
    each = {
        "API Gateway": calls * prices.HTTP_API_REQUEST,
        "Lambda": calls * prices.LAMBDA_REQUEST + seconds * use.api_gb * prices.LAMBDA_GB_SECOND,
        "DynamoDB: a key's calls": (use.view_writes + asked * use.thumbnail_writes) * prices.TABLE_WRITE,
        "DynamoDB: records": (use.view_reads + asked * use.thumbnail_reads) * prices.TABLE_READ,
        "S3: thumbnails": (DEFAULT_PAGE + asked * use.thumbnail_heads) * prices.S3_GET,
        "transfer of thumbnails": DEFAULT_PAGE * use.thumbnail_bytes / GB * prices.TRANSFER_OUT_GB,
    }
    return {name: views * dollars for name, dollars in each.items()}


def keeping(use: Use, images: float) -> Lines:
    """A month of storage."""
    indexed = use.image_vector_bytes + use.image_vectors * GRAPH_BYTES
    return {
        "S3: images as uploaded": images * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH,
        "S3: signatures": images * SIGNATURE_BYTES / GB * prices.S3_GB_MONTH,
        "S3: thumbnails": images * use.thumbnail_bytes / GB * prices.S3_GB_MONTH,
        "DynamoDB: records": images * (use.image_item_bytes + BESIDE_BYTES) / GB * prices.TABLE_GB_MONTH,
        "DynamoDB: recovery": images * use.image_item_bytes / GB * prices.TABLE_BACKUP_GB_MONTH,
        "DynamoDB: vectors": images * indexed / GB * prices.VECTOR_GB_MONTH,
    }


def idle() -> Lines:
    """A month in which nothing happens and nothing is stored."""
    return {
        "dashboard (an account's first three are free)": prices.DASHBOARD_MONTH,
        "alarms": ALARM_METRICS * prices.ALARM_MONTH,
        "container images": IMAGE_GB * prices.IMAGE_GB_MONTH,
    }


def on_a_server(use: Use, images: float, searches: float) -> Lines:
    """The same program on servers that always run, two at least (one may fail), vectors in memory on each."""
    memory = 1.5 * use.image_vector_bytes * images / GB
    busy = images * use.image_seconds + searches * use.search_seconds
    servers = max(2, -(-memory // 12) * 2, -(-busy / (HOURS_MONTH * 3600 * 4 * 0.5) // 1))
    stored = images * (SIGNATURE_BYTES + use.image_item_bytes) / GB
    return {
        "servers": servers * HOURS_MONTH * prices.SERVER_HOUR,
        "load balancer": HOURS_MONTH * prices.BALANCER_HOUR,
        "disks": servers * (30 + stored) * prices.DISK_GB_MONTH,
        "S3: images as uploaded": images * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH + images * prices.S3_PUT,
    }


def with_a_service(use: Use, images: float, searches: float) -> Lines:
    """This program with its vectors in a managed service (Pinecone, serverless) and not in DynamoDB."""
    lean_bytes = use.image_item_bytes - use.image_list_bytes
    lean = replace(
        use,
        image_vectors=0,
        image_vector_bytes=0,
        image_item_bytes=lean_bytes,
        image_searches=0,
        search_searches=0,
        image_write_units=use.image_write_units - (use.image_item_bytes - lean_bytes) // WRITE_UNIT,
    )
    rest = sum(sum(lines.values()) for lines in (ingesting(lean, images), searching(lean, searches)))
    stored = images * use.image_vector_bytes / GB
    queries = use.search_searches * searches + use.image_searches * images
    service = (
        images * -(-use.image_vector_bytes // WRITE_UNIT) * prices.SERVICE_WRITE
        + queries * max(0.25, stored / max(1, use.image_vectors)) * prices.SERVICE_READ
        + stored * prices.SERVICE_GB_MONTH
    )
    kept = sum(keeping(lean, images).values())
    return {"the service": max(service, prices.SERVICE_MINIMUM_MONTH), "everything else": rest + kept}


def bill(use: Use, images: int, searches: int) -> str:
    """A month's bill as text."""
    ours = [
        ("ingest", ingesting(use, images)),
        ("searches", searching(use, searches)),
        ("storage", keeping(use, images)),
        ("idle", idle()),
    ]
    total = sum(sum(lines.values()) for _, lines in ours)
    rows = [f"{images:,} images taken in and kept, {searches:,} searches, one month, {prices.REGION}:", ""]
    for name, lines in ours:
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
        rows += [f"  {part:26} {dollars:12,.2f}" for part, dollars in lines.items()]
    rows += [f"{'together':28} {total:12,.2f}", ""]
    for name, lines in (
        ("on servers that always run", on_a_server(use, images, searches)),
        ("with a managed vector service", with_a_service(use, images, searches)),
    ):
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
    return "\n".join(rows)
