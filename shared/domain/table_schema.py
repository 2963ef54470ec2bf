"""The table's keys, attributes and indexes, defined once for the infrastructure and the functions.

The name of an index ends in its version. An index can only be created and deleted, not changed, so a change is a new
index under the next version: docs/guides/upgrades.md.
"""

from typing import Final

PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"
TTL_ATTRIBUTE: Final = "expires_at"

LISTING_INDEX: Final = "newest-v1"
"""Global secondary index of a collection's images by `created_at`."""
LISTING_PARTITION: Final = "collection"
LISTING_SORT: Final = "created_at"

DUPLICATES_INDEX: Final = "duplicates-v1"
"""Sparse global secondary index, by group, of a collection's images that are in a group of near-duplicates."""
DUPLICATES_SORT: Final = "duplicate_group"

ANNOTATED_INDEX: Final = "annotated-v1"
"""Sparse global secondary index of a collection's annotated images by `created_at`."""
ANNOTATED_PARTITION: Final = "annotated_in"
"""The collection of a record that has annotations; records without them lack the attribute."""
ANNOTATIONS: Final = ("external_id", "note", "fields")
"""Attributes with annotations. Only the index of annotated images projects them."""

PIXELS_INDEX: Final = "pixels-v1"
"""Sparse global secondary index, by the hash of the decoded pixels and the collection, of records that have one."""
PIXELS_HASH: Final = "pixels_hash"

TAKEN_INDEX: Final = "taken-v1"
"""Global secondary index of a collection's images by `ImageRecord.dated_at`, without those stored by a version that did
not read it."""
TAKEN_SORT: Final = "dated_at"

VECTOR_INDEX: Final = "features-v1"
VECTOR_ATTRIBUTE: Final = "features"
LOCAL_INDEX: Final = "local_features-v1"
LOCAL_ATTRIBUTE: Final = "local_features"
FACES_INDEX: Final = "faces-v1"
FACE_ATTRIBUTE: Final = "face_vector"
FACE_FILTERS: Final = ("face_model",)
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
"""Attributes that every index projects besides its keys, so that a response needs no second read."""

SINCE: Final = "since"
"""The attribute that replaces `created_at` in items that the listing index must not contain."""

TRASH_PARTITION: Final = "trash"
"""Partition of the images in the trash, one item each, so that they are listed by a query."""
ALBUM_TRASH_PARTITION: Final = "album_trash"
"""Partition of the albums in the trash, one item each."""
TRASHED_AT: Final = "trashed_at"
"""When a record or an album was moved into the trash, ISO 8601 in UTC. Such a record lacks the partition of every
index."""

CONDEMNED: Final = "condemned"
"""An attribute of a record or an album in the trash whose removal has begun."""

SCANS_PARTITION: Final = "duplicate_scans"
"""Partition of the progress of comparing collections again, one item for each collection."""

COLLECTIONS_PARTITION: Final = "collections"
"""Partition of the collections, one item each, so that they are listed by a query and not by a scan of the table."""

FACES_ON: Final = "faces"
"""The attribute of a collection's item that says that it has faces on."""

KEYS_PARTITION: Final = "keys"
"""Partition of the API keys, one item each, so that they are listed by a query and not by a scan of the table."""
