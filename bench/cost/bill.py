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
    SIGNATURE_BYTES,
    STATE_SECONDS,
    TRACED,
    Use,
)
from infra import prices

RECORDS_SHOWN: Final = 5
READ_UNIT: Final = 4096
"""Bytes of an item that one unit reads, strongly consistent."""
WRITE_UNIT: Final = 1024
BESIDE_BYTES: Final = 1_000
"""Of a picture's source, of its object's entry and of the upload's state."""

Lines = dict[str, float]
"""Dollars by component."""


def uploading(use: Use, pictures: float) -> Lines:
    """What a picture costs before its event: the call for its form, the upload itself, one question for its state."""
    asked = prices.HTTP_API_REQUEST + prices.LAMBDA_REQUEST + STATE_SECONDS * use.api_gb * prices.LAMBDA_GB_SECOND
    each = {
        "S3: the upload": prices.S3_PUT,
        "API: form and state": 2 * asked + prices.TABLE_WRITE + prices.TABLE_READ,
    }
    return {name: pictures * dollars for name, dollars in each.items()}


def indexing(use: Use, pictures: float) -> Lines:
    """Everything from a picture's event on."""
    each = {
        "DynamoDB: vectors": use.picture_vector_bytes / GB * prices.VECTOR_WRITE_GB
        + use.picture_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": use.picture_write_units * prices.TABLE_WRITE + use.picture_reads * prices.TABLE_READ,
        "S3: signature": use.picture_puts * prices.S3_PUT,
        "S3: reading": use.picture_gets * prices.S3_GET,
        "Lambda: computing": use.picture_seconds * use.ingest_gb * prices.LAMBDA_GB_SECOND
        + prices.LAMBDA_REQUEST / BATCH,
        "SQS and events": (1 + 2 / BATCH) * prices.SQS_REQUEST + prices.BUS_EVENT,
        "logs and traces": (use.picture_log_bytes + LOG_BYTES_A_BATCH / BATCH) / GB * prices.LOGS_GB
        + TRACED * prices.TRACE / BATCH,
    }
    return {name: pictures * dollars for name, dollars in each.items()}


def ingesting(use: Use, pictures: float) -> Lines:
    """Pictures uploaded through the API's own form, and indexed."""
    return uploading(use, pictures) | indexing(use, pictures)


def searching(use: Use, searches: float) -> Lines:
    """Searches with a picture in the request."""
    each = {
        "S3: signatures": use.search_gets * prices.S3_GET,
        "Lambda: computing": use.search_seconds * use.api_gb * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST,
        "API Gateway": prices.HTTP_API_REQUEST,
        "DynamoDB: vectors": use.search_searches * EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "DynamoDB: records": RECORDS_SHOWN * -(-use.picture_item_bytes // READ_UNIT) * prices.TABLE_READ,
        "logs, traces, transfer": LOG_BYTES_A_SEARCH / GB * prices.LOGS_GB
        + TRACED * prices.TRACE
        + ANSWER_BYTES / GB * prices.TRANSFER_OUT_GB,
    }
    return {name: searches * dollars for name, dollars in each.items()}


def keeping(use: Use, pictures: float) -> Lines:
    """A month of storage."""
    indexed = use.picture_vector_bytes + use.picture_vectors * GRAPH_BYTES
    return {
        "S3: pictures as uploaded": pictures * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH,
        "S3: signatures": pictures * SIGNATURE_BYTES / GB * prices.S3_GB_MONTH,
        "DynamoDB: records": pictures * (use.picture_item_bytes + BESIDE_BYTES) / GB * prices.TABLE_GB_MONTH,
        "DynamoDB: recovery": pictures * use.picture_item_bytes / GB * prices.TABLE_BACKUP_GB_MONTH,
        "DynamoDB: vectors": pictures * indexed / GB * prices.VECTOR_GB_MONTH,
    }


def idle() -> Lines:
    """A month in which nothing happens and nothing is stored."""
    return {
        "dashboard (an account's first three are free)": prices.DASHBOARD_MONTH,
        "alarms": ALARM_METRICS * prices.ALARM_MONTH,
        "container images": IMAGE_GB * prices.IMAGE_GB_MONTH,
    }


def on_a_server(use: Use, pictures: float, searches: float) -> Lines:
    """The same program on servers that always run, two at least (one may fail), vectors in memory on each."""
    memory = 1.5 * use.picture_vector_bytes * pictures / GB
    busy = pictures * use.picture_seconds + searches * use.search_seconds
    servers = max(2, -(-memory // 12) * 2, -(-busy / (HOURS_MONTH * 3600 * 4 * 0.5) // 1))
    stored = pictures * (SIGNATURE_BYTES + use.picture_item_bytes) / GB
    return {
        "servers": servers * HOURS_MONTH * prices.SERVER_HOUR,
        "load balancer": HOURS_MONTH * prices.BALANCER_HOUR,
        "disks": servers * (30 + stored) * prices.DISK_GB_MONTH,
        "S3: pictures as uploaded": pictures * ORIGINAL_BYTES / GB * prices.S3_GB_MONTH + pictures * prices.S3_PUT,
    }


def with_a_service(use: Use, pictures: float, searches: float) -> Lines:
    """This program with its vectors in a managed service (Pinecone, serverless) and not in DynamoDB."""
    lean_bytes = use.picture_item_bytes - use.picture_list_bytes
    lean = replace(
        use,
        picture_vectors=0,
        picture_vector_bytes=0,
        picture_item_bytes=lean_bytes,
        picture_searches=0,
        search_searches=0,
        picture_write_units=use.picture_write_units - (use.picture_item_bytes - lean_bytes) // WRITE_UNIT,
    )
    rest = sum(sum(lines.values()) for lines in (ingesting(lean, pictures), searching(lean, searches)))
    stored = pictures * use.picture_vector_bytes / GB
    queries = use.search_searches * searches + use.picture_searches * pictures
    service = (
        pictures * -(-use.picture_vector_bytes // WRITE_UNIT) * prices.SERVICE_WRITE
        + queries * max(0.25, stored / max(1, use.picture_vectors)) * prices.SERVICE_READ
        + stored * prices.SERVICE_GB_MONTH
    )
    kept = sum(keeping(lean, pictures).values())
    return {"the service": max(service, prices.SERVICE_LEAST_MONTH), "everything else": rest + kept}


def bill(use: Use, pictures: int, searches: int) -> str:
    """A month's bill as text."""
    ours = [
        ("ingest", ingesting(use, pictures)),
        ("searches", searching(use, searches)),
        ("storage", keeping(use, pictures)),
        ("idle", idle()),
    ]
    total = sum(sum(lines.values()) for _, lines in ours)
    rows = [f"{pictures:,} pictures taken in and kept, {searches:,} searches, one month, {prices.REGION}:", ""]
    for name, lines in ours:
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
        rows += [f"  {part:26} {dollars:12,.2f}" for part, dollars in lines.items()]
    rows += [f"{'together':28} {total:12,.2f}", ""]
    for name, lines in (
        ("on servers that always run", on_a_server(use, pictures, searches)),
        ("with a managed vector service", with_a_service(use, pictures, searches)),
    ):
        rows.append(f"{name:28} {sum(lines.values()):12,.2f}")
    return "\n".join(rows)
