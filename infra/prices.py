"""What AWS charges for the parts that PicTrace uses, and what one new image uses of them. Plain numbers, no code.

US East (N. Virginia), on demand, without free tiers, in US dollars, as the price pages had them on 2026-11-21; other
regions cost up to twice as much. https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/dynamodb/pricing/,
https://aws.amazon.com/sqs/pricing/, https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/eventbridge/pricing/

The prices from HTTP_API_REQUEST to BALANCER_HOUR, but for the server's, are list prices as they are commonly known:
they were not read from those pages, and want checking against the page named beside each.
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
VECTOR_WRITE_GB: Final = 0.52
"""A gigabyte replicated into a vector index, 1 KB a write at least: $4.0 for a million vectors of 2048 dimensions. What
is replicated is four bytes a dimension, the keys and the projected attributes: a vector of 256 dimensions was reported
as 1,061 bytes, and https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchMonitoring.html says
that it scales so. The three prices of vectors are the price page's as an article of 2026-08-09 quotes them ("One More
Reason to Run a Separate Vector DB Just Disappeared"); the page itself could not be read in so new a version."""
VECTOR_SEARCH_GB: Final = 0.002
"""A gigabyte that searches of the index examine, 1 KB a search at least."""
SQS_REQUEST: Final = 0.4 / 1e6
BUS_EVENT: Final = 1 / 1e6
LAMBDA_GB_SECOND: Final = 13.3334 / 1e6
"""On arm64."""
LAMBDA_GB_SECOND_X86: Final = 16.6667 / 1e6
LAMBDA_REQUEST: Final = 0.2 / 1e6
HTTP_API_REQUEST: Final = 1 / 1e6
"""https://aws.amazon.com/api-gateway/pricing/"""
S3_GB_MONTH: Final = 0.023
TABLE_GB_MONTH: Final = 0.25
TABLE_BACKUP_GB_MONTH: Final = 0.2
"""Point-in-time recovery."""
VECTOR_GB_MONTH: Final = 0.25
"""As the table's."""
LOGS_GB: Final = 0.5
"""https://aws.amazon.com/cloudwatch/pricing/, as are alarms."""
ALARM_MONTH: Final = 0.1
"""For each metric that an alarm looks at."""
DASHBOARD_MONTH: Final = 3.0
"""The first three of an account cost nothing."""
TRACE: Final = 5 / 1e6
"""https://aws.amazon.com/xray/pricing/; X-Ray samples one request a second and a twentieth of the others."""
IMAGE_GB_MONTH: Final = 0.1
"""https://aws.amazon.com/ecr/pricing/"""
TRANSFER_OUT_GB: Final = 0.09
SERVER_HOUR: Final = 0.1632
"""m7g.xlarge, 4 cores and 16 GB, Linux: twice the $0.0816 of the m7g.large in
https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/ (June 2026)."""
DISK_GB_MONTH: Final = 0.08
"""https://aws.amazon.com/ebs/pricing/, gp3."""
BALANCER_HOUR: Final = 0.0225
"""https://aws.amazon.com/elasticloadbalancing/pricing/, without capacity units."""
SERVICE_WRITE: Final = 4 / 1e6
"""Pinecone Standard, serverless, us-east-1: a write unit, 1 KB of what is written. This and the three below from
https://docs.flexprice.io/cookbooks/pricing-teardowns/pinecone-pricing (price page of 2026-11-04)."""
SERVICE_READ: Final = 16 / 1e6
"""A read unit: a query takes one for each GB of its namespace, a quarter at least
(https://docs.pinecone.io/guides/manage-cost/understanding-cost)."""
SERVICE_GB_MONTH: Final = 0.33
SERVICE_LEAST_MONTH: Final = 50.0

WRITES_AN_IMAGE: Final = 16
"""Write units of one new image. This and what follows is what `make bench` counted (bench/results/speed.json); a
test compares them."""
WRITES_A_VECTOR: Final = 10
"""Another model's vectors of an image that is there: about as large as a record."""
VECTOR_BYTES_AN_IMAGE: Final = 13_000
"""Replicated into the two indexes: of the whole, and of its keypoints."""
READS_AN_IMAGE: Final = 8
"""Of the function; the command that watches reads 4 of them."""
PUTS_AN_IMAGE: Final = 2
"""Its signature and its thumbnail."""
GETS_AN_IMAGE: Final = 2
"""The image, and now and then the signature of an earlier one."""
SQS_REQUESTS_AN_IMAGE: Final = 0.3
"""A tenth to send, and a batch of ten received and deleted."""
SECONDS_AN_IMAGE: Final = 0.13
"""Of the ingest function, in a batch of ten."""
LISTED_AT_ONCE: Final = 1000
"""Keys that one LIST gives."""
