"""Every limit of the system, defined once; infrastructure, functions, tests and docs read them here."""

from typing import Final

MIB: Final = 1024 * 1024

MAX_UPLOAD_BYTES: Final = 25 * MIB
"""Largest image that an upload may bring (the presigned policy enforces it)."""

MAX_QUERY_BYTES: Final = 4_400_000
"""Largest image inside a request: Lambda takes 6 MB, which is 4.4 MB before base64."""

MAX_REQUEST_BYTES: Final = 6 * MIB
"""Most bytes of a request's body, whatever is in it: what Lambda takes."""

MAX_PIXELS: Final = 40_000_000
"""Most pixels (width x height) that are decoded; read from the header, before decoding."""

MAX_SIDE: Final = 16_384
"""Longest side, in pixels, that is decoded."""

MAX_JPEG_SCANS: Final = 100
"""Most scans of a progressive JPEG (8,000 of them took 26.5 s to decode)."""

MAX_CHUNKS: Final = 35_000
"""Most segments (JPEG), chunks (PNG, WebP), size properties (AVIF) or blocks before the frame (GIF): 25 MiB of empty
ones take seconds."""

MAX_DECODE_MEMORY: Final = 448 * MIB
"""Memory that decoding one image may take beyond the 60 MB or so of the process that does it."""

MAX_DECODE_CPU_SECONDS: Final = 4
"""Processor time that decoding one image may take."""

MAX_DECODE_SECONDS: Final = 20
"""Time after which a decode that did not get its processor time is given up, to be tried again: a busy machine is no
fault of the image."""

UPLOAD_EXPIRES_SECONDS: Final = 15 * 60
"""How long a presigned upload stays open."""

LINK_EXPIRES_SECONDS: Final = 15 * 60
"""How long a presigned link to a stored image stays open."""

LINK_HALF_LIFE_SECONDS: Final = LINK_EXPIRES_SECONDS // 2
"""How long a link may be given out again: whoever gets it has at least as long to use it."""

UPLOAD_STATE_DAYS: Final = 30
"""How long the state of a finished or abandoned upload can be asked for."""

MAX_COLLECTION_LENGTH: Final = 64
MAX_FILENAME_LENGTH: Final = 255

DEFAULT_K: Final = 5
MAX_K: Final = 50

DEFAULT_PAGE: Final = 24
MAX_PAGE: Final = 100

DEFAULT_COLLECTION: Final = "default"

FETCH_SECONDS: Final = 10
"""Longest time that fetching from a URL may take, redirects included."""

FETCH_FUNCTION_SECONDS: Final = FETCH_SECONDS + 5
"""Longest time that the fetch function may take: fetching, then storing."""

FETCH_WAIT_SECONDS: Final = FETCH_FUNCTION_SECONDS + 5
"""How long its callers wait for it, a cold start included."""

MAX_REDIRECTS: Final = 3
MAX_URL_LENGTH: Final = 2048
FETCH_PORTS: Final = (80, 443)
"""Where a URL may lead: the web's own ports, so that nothing else can be talked to or scanned."""

RETRY_AFTER_SECONDS: Final = 5
"""When a caller is told to try again after an outage."""

INDEX_RETRY_AFTER_SECONDS: Final = 30
"""When a caller is told to try again while a vector index is being built, which takes minutes."""

CHECK_DELAY_SECONDS: Final = 300
"""How long ingest waits before it looks for the near-duplicates of an image that came while a vector index was being
built. SQS delays a message by at most 900."""

CHECK_HOURS: Final = 12
"""How long it goes on trying."""

MAX_RECEIVES: Final = 5
"""So often a message is tried before it goes to the dead-letter queue."""

SUBPROCESS_SECONDS: Final = 20
"""Longest time for one message in a process of its own, start included."""

BATCH_MESSAGES: Final = 10
"""Most messages that one call of the ingest function gets."""

CONCURRENT_MESSAGES: Final = 10
"""Messages of a batch that are done at the same time, so that the waiting of some hides in the computing of others."""

CONCURRENT_IMAGES: Final = 2
"""Images of a batch that are computed at the same time: each may take 120 MB of pixels, and there is one core."""

MAX_METADATA: Final = 20
"""Most entries of a sender's metadata."""
MAX_METADATA_LENGTH: Final = 256
"""Longest name or value of metadata, in characters."""

KEY_CALLS_PER_MINUTE: Final = 600
"""Calls a minute that a key may make where its creator says nothing else."""

MAX_KEY_CALLS_PER_MINUTE: Final = 60_000
MAX_KEY_NAME_LENGTH: Final = 100

MAX_KEY_COLLECTIONS: Final = 20
"""Most collections of one key: a call on an id without `collection` looks into each of them."""

KEY_CACHE_SECONDS: Final = 30
"""How long a process trusts what it read of a key: a revocation takes effect within this time."""
