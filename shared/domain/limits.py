"""Every limit of the system, defined once; infrastructure, functions, tests and docs read them here."""

from typing import Final

MIB: Final = 1024 * 1024

MAX_UPLOAD_BYTES: Final = 100 * MIB
"""Maximum size of an upload, and of an object in a bucket; the presigned policy enforces it. A camera RAW file of 45 to
60 megapixels has 25 to 60 MB, more if it is uncompressed (docs/measurements/formats.md)."""

MAX_FETCH_BYTES: Final = 25 * MIB
"""Maximum size of an image that is fetched from a URL, which must arrive within `FETCH_SECONDS`."""

MAX_BYTES_IN_MEMORY: Final = 128 * MIB
"""Maximum size of all files that one ingest function holds at once, whatever the batch: the memory of the function is
shared with two decoders, each of which has a copy of its file."""

MAX_QUERY_BYTES: Final = 4_400_000
"""Maximum size of an image inside a request: Lambda accepts 6 MB, which is 4.4 MB before base64."""

MAX_REQUEST_BYTES: Final = 6 * MIB
"""Maximum size of a request's body, the limit of Lambda."""

MAX_SMALL_REQUEST_BYTES: Final = 128 * 1024
"""Maximum size of the body of a request that brings no image, many times what the longest URL needs."""

BODY_SECONDS: Final = 30
"""How long the body of a request may take to arrive, where the API does not run behind API Gateway: at the largest size
that is 1.6 Mbit/s."""

MAX_PIXELS_BY_FORMAT: Final = {
    "jpeg": 250_000_000,
    "png": 90_000_000,
    "webp": 60_000_000,
    "gif": 60_000_000,
    "bmp": 90_000_000,
    "tiff": 60_000_000,
    "avif": 40_000_000,
    "heic": 60_000_000,
    "jxl": 60_000_000,
}
"""Maximum pixels (width x height) of an image, checked in the header, before decoding: what the memory and the time of
the decoder of each format suffice for (docs/measurements/formats.md). A JPEG is decoded at down to an eighth."""

MAX_PROGRESSIVE_PIXELS: Final = 110_000_000
"""The same for a progressive JPEG, all of which is held in memory before its first pixel is known."""

MAX_PIXELS: Final = max(MAX_PIXELS_BY_FORMAT.values())
"""Maximum pixels of an image of any format."""

MAX_SIDE: Final = 65_535
"""Maximum length of an image's longer side in pixels: that of a JPEG."""

MAX_PAGES_SEARCHED: Final = 9
"""Pages of a file that a search finds, from the first one on: on a sheet of three by three, each is still large enough
to be found as a part of it."""

MAX_JPEG_SCANS: Final = 100
"""Maximum number of scans of a progressive JPEG (8,000 of them took 26.5 s to decode)."""

MAX_CHUNKS: Final = 35_000
"""Maximum number of segments (JPEG), chunks (PNG, WebP), size properties (AVIF) or blocks before the frame (GIF):
25 MiB of empty ones take seconds."""

MAX_DECODE_MEMORY: Final = 448 * MIB
"""Memory that decoding one image may use beyond the 60 MB or so of the decoding process."""

MAX_DECODE_CPU_SECONDS: Final = 4
"""CPU time that decoding one image may use."""

MAX_DECODE_SECONDS: Final = 20
"""Wall-clock limit of a decode that has not used up its CPU time. It is retried, because a busy machine is not the
image's fault."""

DECODE_WAIT_SECONDS: Final = 20
"""How long a request waits while other images are decoded; it is then answered with 503. Ingest waits longer."""

UPLOAD_EXPIRES_SECONDS: Final = 15 * 60
"""Lifetime of a presigned upload."""

UPLOAD_ABANDONED_SECONDS: Final = 2 * UPLOAD_EXPIRES_SECONDS
"""Age from which a pending upload without an object is over. A file that was being sent when its form expired has as
long again to arrive."""

LINK_EXPIRES_SECONDS: Final = 15 * 60
"""Lifetime of a presigned link to a stored image."""

LINK_HALF_LIFE_SECONDS: Final = LINK_EXPIRES_SECONDS // 2
"""How long a link may be reused, so that whoever receives it has at least as long to follow it."""

UPLOAD_STATE_DAYS: Final = 30
"""How long the state of a finished or abandoned upload is kept."""

REFUSAL_DAYS: Final = 7
"""How long it is kept why an image could not be described by another model."""

MAX_COLLECTION_LENGTH: Final = 64
MAX_FILENAME_LENGTH: Final = 255

MAX_TITLE_LENGTH: Final = 100
"""Maximum length of the title of a collection, in characters."""

MAX_FIELDS: Final = 10
"""Maximum number of named strings in the annotations of an image."""
MAX_FIELD_NAME_LENGTH: Final = 64
MAX_FIELD_LENGTH: Final = 256
"""Maximum length of such a string, and of a caller's id of an image, in characters."""
MAX_NOTE_LENGTH: Final = 2000

MAX_TAG_LENGTH: Final = 50
MAX_TAGS: Final = 50
"""Maximum number of tags of an image on which people have decided, those that they removed included."""

MAX_TAGS_WANTED: Final = 20
"""Maximum number of tags in the conditions of a listing."""

MAX_ALBUM_IMAGES: Final = 10_000
"""Maximum number of images in an album: all of its entries, some 300 bytes each, are read for each of its pages."""
MAX_ALBUM_CHANGES: Final = 100
"""Maximum number of images that one call adds to an album, or removes from it."""
MAX_DESCRIPTION_LENGTH: Final = 2000
"""Maximum length of an album's description, in characters."""
SHARE_DAYS: Final = 30
"""How long a link to an album is valid unless it is created for another time."""
MAX_SHARE_DAYS: Final = 3650
PREVIEW_SIDE: Final = 1024
"""Longest side, in pixels, of the image that a link to an album shows: what the decoder keeps of a large one."""

DEFAULT_K: Final = 5
MAX_K: Final = 50

DEFAULT_PAGE: Final = 24
MAX_PAGE: Final = 100

MAX_GROUP_MEMBERS: Final = 200
"""Maximum number of images of a group that one call changes, and that are compared again after their group changed."""

MOVE_SECONDS: Final = 60
"""How long after its message was sent an image may still be moved into the trash, or out of it; a request ends
sooner."""

MAX_HASHES: Final = 100
"""Maximum number of perceptual hashes in one search."""
MAX_HASHES_EXAMINED: Final = 100_000
"""Maximum number of images whose hashes one search by hash compares; its cursor leads to the others."""

MAX_SOURCES_SHOWN: Final = 100
"""Maximum number of an image's sources in its record."""

DEFAULT_COLLECTION: Final = "default"

FETCH_SECONDS: Final = 10
"""Maximum time for fetching from a URL, redirects included."""

FETCH_FUNCTION_SECONDS: Final = FETCH_SECONDS + 5
"""Timeout of the fetch function, which fetches and then stores."""

FETCH_WAIT_SECONDS: Final = FETCH_FUNCTION_SECONDS + 5
"""How long callers wait for the fetch function, a cold start included."""

MAX_REDIRECTS: Final = 3
MAX_URL_LENGTH: Final = 2048
FETCH_PORTS: Final = (80, 443)
"""Ports that a URL may name: only those of the web, so that no other service can be reached or scanned."""

RETRY_AFTER_SECONDS: Final = 5
"""`Retry-After` of a response during an outage."""

INDEX_RETRY_AFTER_SECONDS: Final = 30
"""`Retry-After` of a response while a vector index is being built, which takes minutes."""

CHECK_DELAY_SECONDS: Final = 5
"""How long ingest waits before it compares an image again that a vector index did not have yet. The delay doubles with
each attempt."""
MAX_CHECK_DELAY_SECONDS: Final = 300
"""Maximum of that delay, for an index that is being built, which takes minutes. SQS allows at most 900 s."""
MAX_CHECKS: Final = 12
"""Number of checks after which an index that still lacks the image is no longer waited for: after 30 minutes."""
MAX_REGROUPINGS: Final = 4
"""Number of changes of groups in a row, each because of the one before, after which no more follow."""


def check_delay_seconds(attempt: int) -> int:
    """Return how long to wait before a check, of which there have been `attempt` before."""
    return min(CHECK_DELAY_SECONDS * (1 << min(attempt, 10)), MAX_CHECK_DELAY_SECONDS)


CHECK_HOURS: Final = 12
"""How long ingest repeats that check before it gives up."""

MAX_RECEIVES: Final = 5
"""Maximum number of attempts before a message goes to the dead-letter queue."""

SUBPROCESS_SECONDS: Final = 20
"""Maximum time for one message in its own process, start-up included."""

BATCH_MESSAGES: Final = 10
"""Maximum number of messages in one invocation of the ingest function."""

CONCURRENT_MESSAGES: Final = 10
"""Messages of a batch that are processed concurrently, so that some wait for I/O while others compute."""

CONCURRENT_IMAGES: Final = 2
"""Images of a batch that are described concurrently: each may hold 120 MB of pixels, and there is one core."""

MAX_METADATA: Final = 20
"""Maximum number of entries in a sender's metadata."""
MAX_METADATA_LENGTH: Final = 256
"""Maximum length of a name or value in metadata, in characters."""

KEY_CALLS_PER_MINUTE: Final = 600
"""Default number of calls a minute that a key allows."""

MAX_KEY_CALLS_PER_MINUTE: Final = 60_000
MAX_KEY_NAME_LENGTH: Final = 100

MAX_KEY_COLLECTIONS: Final = 20
"""Maximum number of collections of one key: a call with an id but no `collection` reads each of them."""

KEY_CACHE_SECONDS: Final = 30
"""How long a process caches a key; a revocation takes effect within this time."""
