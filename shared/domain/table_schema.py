"""The table's keys, attributes and indexes: one definition for the infrastructure and the code.

The name of an index ends in its version. DynamoDB changes nothing about an index but its existence, so a change is a
new index under the next version: docs/guides/upgrades.md.
"""

from typing import Final

PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"
TTL_ATTRIBUTE: Final = "expires_at"

LISTING_INDEX: Final = "newest-v1"
"""Global secondary index of the images of a collection by `created_at`."""
LISTING_PARTITION: Final = "collection"
LISTING_SORT: Final = "created_at"

DUPLICATES_INDEX: Final = "duplicates-v1"
"""Sparse global secondary index of the images of a collection that are in a group of near-duplicates, by group."""
DUPLICATES_SORT: Final = "duplicate_group"

VECTOR_INDEX: Final = "features-v1"
VECTOR_ATTRIBUTE: Final = "features"
LOCAL_INDEX: Final = "local_features-v1"
LOCAL_ATTRIBUTE: Final = "local_features"
VECTOR_PARTITION: Final = "collection"
VECTOR_FILTERS: Final = ("model", "label")

RECORD_ATTRIBUTES: Final = (
    "image_id",
    "width",
    "height",
    "format",
    "bytes",
    "phash",
    "labels",
    "filename",
    "low_information",
    "sharpness",
)
"""What all indexes carry besides their keys, so that no answer needs a second read."""

SINCE: Final = "since"
"""`created_at` of an item that the listing must not show."""

KEYS_PARTITION: Final = "keys"
"""Partition of the API keys, one item each, so that listing them is one query and never a scan of the images."""
