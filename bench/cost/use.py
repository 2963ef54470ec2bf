"""What an image and a search use: from the bench's figures, and from what had to be taken from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from shared.domain.limits import BATCH_MESSAGES

MILLION: Final = 1_000_000
GB: Final = 2**30
HOURS_MONTH: Final = 730

S3_SECONDS: Final = 0.02
TABLE_SECONDS: Final = 0.006
VECTOR_SECONDS: Final = 0.02
"""What a call of S3, DynamoDB, SearchVectors takes inside a region: taken, not measured here. 20 ms was the median of
a published measurement of SearchVectors (August 2026, 15,000 vectors; a public repository's notes, whose address is not
known here)."""
SIGNATURES_AT_ONCE: Final = 16
DETAILED_SECONDS: Final = 0.4
"""Of a processor, for a detailed comparison on average: docs/explanation/ranking.md, *Cost*."""
BATCH: Final = BATCH_MESSAGES
"""Messages of a batch under load."""

SIGNATURE_BYTES: Final = 133_000
ORIGINAL_BYTES: Final = 500_000
"""An image as it was uploaded: an assumption; it is kept in S3 as it is."""
GRAPH_BYTES: Final = 800
"""Of a vector in its index, beside what is replicated: a published measurement of 4,973 bytes for 1,024 dimensions,
4,096 of them numbers, has its graph and what was projected in the rest."""
EXAMINED_BYTES: Final = 250_000
"""Of one search: the published measurement reports 60,560 bytes and 566 for each result, for 1,024 dimensions and
15,000 vectors. Twice the dimensions, 100 results and a million vectors, for which AWS documents logarithmic growth:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchMonitoring.html"""
LOG_BYTES_A_SEARCH: Final = 1_600
LOG_BYTES_A_BATCH: Final = 900
"""Lambda's own three lines, and one with the metrics, which has 404 bytes of a search."""
ANSWER_BYTES: Final = 4_000
TRACED: Final = 0.05
"""Of the calls of a function."""
STATE_SECONDS: Final = 0.015
"""Of the api function, for a form or a state: taken."""
ALARM_METRICS: Final = 21
"""Number of metrics that the alarms watch; a test counts them in the template."""
IMAGE_GB: Final = 0.3
RERANKED: Final = 20
"""Number of reranked candidates for which the cost target is set."""

EVENTUAL: Final = 8192
CONSISTENT: Final = 4096
"""Bytes that a read unit reads.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""


@dataclass(frozen=True, slots=True)
class Use:
    """What one image and one search use: measured and counted by `make bench`.

    Attributes:
        image_seconds, search_seconds: of a function's time, its waiting for AWS included. Of a batch's images that
            are done at the same time, all compute, and the waiting of one is left.
        image_waiting: seconds that an image waits, as it would alone.
        image_item_bytes: of an image's record in the table, its vectors included.
        image_list_bytes: of it, what the vectors are.
        image_vectors: indexes that each image is written to.
        image_vector_bytes: that are replicated into them.
        search_gets: candidates that are compared, each read from S3.
        view_calls: of the API, which one view of the page makes; `view_reads` and `view_writes` are their units.
        thumbnail_reads: units of a call that asks for one thumbnail's link, as thumbnail_writes and the requests of S3.
    """

    image_seconds: float
    image_waiting: float
    image_puts: float
    image_gets: float
    image_reads: float
    image_write_units: float
    image_item_bytes: float
    image_list_bytes: float
    image_vectors: float
    image_vector_bytes: float
    image_searches: float
    image_log_bytes: float
    thumbnail_bytes: float
    view_calls: float
    view_reads: float
    view_writes: float
    thumbnail_reads: float
    thumbnail_writes: float
    thumbnail_heads: float
    search_seconds: float
    search_gets: float
    search_searches: float
    ingest_gb: float
    api_gb: float

    @classmethod
    def measured(cls, figures: Mapping[str, float], context: Mapping[str, int], kind: str, gets: int = 0) -> Self:
        """From the bench's figures.

        Args:
            kind: of search: one that `found` a copy, one that found `nothing`, or a `fast` one.
            gets: candidates that it compares; 0 for as many as the bench counted.
        """
        waiting = (
            (figures["image_puts"] + figures["image_gets"]) * S3_SECONDS
            + (figures["image_reads"] + figures["image_writes"] + figures["image_events"]) * TABLE_SECONDS
            + VECTOR_SECONDS  # of the two searches, which are asked at the same time
        )
        counted = figures[f"{kind}_gets"]
        compared = gets or counted
        looks = 2 if kind == "nothing" else 1
        searching = (
            figures[f"{kind}_ms"] / 1000
            + figures["rerank_50_ms"] / 1000 * (compared - counted) / 50
            + looks * 2 * VECTOR_SECONDS
            + -(-compared // SIGNATURES_AT_ONCE) * S3_SECONDS
            + figures[f"{kind}_reads"] * TABLE_SECONDS
        )
        return cls(
            image_seconds=figures["image_processor_ms"] / 1000 + waiting / BATCH,
            image_waiting=waiting,
            image_puts=figures["image_puts"],
            image_gets=figures["image_gets"],
            image_reads=figures["image_reads"],
            image_write_units=figures["image_write_units"],
            image_item_bytes=figures["image_item_bytes"],
            image_list_bytes=figures["image_list_bytes"],
            image_vectors=figures["image_vectors"],
            image_vector_bytes=figures["image_vector_bytes"],
            image_searches=figures["image_vector_searches"],
            image_log_bytes=figures["image_log_bytes"],
            thumbnail_bytes=figures["thumbnail_bytes"],
            view_calls=figures["view_calls"],
            view_reads=figures["view_reads"],
            view_writes=figures["view_writes"],
            thumbnail_reads=figures["thumbnail_reads"],
            thumbnail_writes=figures["thumbnail_writes"],
            thumbnail_heads=figures["thumbnail_heads"],
            search_seconds=searching,
            search_gets=compared,
            search_searches=figures[f"{kind}_vector_searches"],
            ingest_gb=context["ingest_memory_mb"] / 1024,
            api_gb=context["api_memory_mb"] / 1024,
        )
