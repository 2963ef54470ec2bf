"""What AWS charges for the parts that PicTrace uses, and what one new picture uses of them. Plain numbers, no code.

US East (N. Virginia), on demand, without free tiers, in US dollars, as the price pages had them on 2026-11-21; other
regions cost up to twice as much. https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/dynamodb/pricing/,
https://aws.amazon.com/sqs/pricing/, https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/eventbridge/pricing/
"""

from typing import Final

AS_OF: Final = "2026-11-21"
REGION: Final = "us-east-1"

S3_PUT: Final = 5 / 1e6
"""A PUT, COPY, POST or LIST."""
S3_GET: Final = 0.4 / 1e6
TABLE_WRITE: Final = 0.625 / 1e6
"""A write request unit: 1 KB."""
TABLE_READ: Final = 0.125 / 1e6
"""A read request unit: 8 KB, eventually consistent."""
VECTOR_WRITE: Final = 4.3 / 1e6
"""One vector of 2048 dimensions written to the index."""
VECTOR_SEARCH_GB: Final = 0.002
"""A gigabyte that searches of the index examine."""
SQS_REQUEST: Final = 0.4 / 1e6
BUS_EVENT: Final = 1 / 1e6
LAMBDA_GB_SECOND: Final = 13.3334 / 1e6
"""On arm64; a quarter more on x86_64."""
LAMBDA_REQUEST: Final = 0.2 / 1e6

WRITES_A_PICTURE: Final = 22
"""docs/order-and-repetition.md counts them."""
WRITES_A_VECTOR: Final = 15
"""Another model's vectors of a picture that is there: about as large as a record."""
VECTORS_A_PICTURE: Final = 2
"""Of the whole, and of its keypoints."""
READS_A_PICTURE: Final = 12
"""The ledger, the record and what looks for the nearest earlier picture; the command that watches reads 4 of them."""
GETS_A_PICTURE: Final = 7
"""The picture, its signature and those of the 5 nearest earlier ones."""
SQS_REQUESTS_A_PICTURE: Final = 1
"""A tenth to send, and a batch received and deleted for one to five."""
SECONDS_A_PICTURE: Final = 0.2
"""Of the ingest function: 7.9 a second were indexed on two cores shared with the emulator (README.md)."""
LISTED_AT_ONCE: Final = 1000
"""Keys that one LIST gives."""
