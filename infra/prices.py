"""AWS prices of the services that PicTrace uses, and how much of them one new image uses. Plain numbers, no code.

US East (N. Virginia), on demand, without free tiers, in US dollars, from the price pages of 2026-11-21; other regions
cost up to twice as much. https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/dynamodb/pricing/,
https://aws.amazon.com/sqs/pricing/, https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/eventbridge/pricing/

The prices from HTTP_API_REQUEST to BALANCER_HOUR, except SERVER_HOUR, are commonly known list prices: they were not
read from the price pages. Check each against the page that it cites.
"""

from typing import Final

AS_OF: Final = "2026-11-21"
REGION: Final = "us-east-1"

S3_PUT: Final = 5 / 1e6
"""A PUT, COPY, POST or LIST request."""
S3_GET: Final = 0.4 / 1e6
EXPRESS_PUT: Final = 1.13 / 1e6
"""S3 Express One Zone, which nothing here uses (docs/measurements/cost.md says why): these five are from the examples
in https://aws.amazon.com/s3/faqs/."""
EXPRESS_GET: Final = 0.03 / 1e6
EXPRESS_UPLOAD_GB: Final = 0.0032
EXPRESS_RETRIEVAL_GB: Final = 0.0006
EXPRESS_GB_MONTH: Final = 0.11
TABLE_WRITE: Final = 0.625 / 1e6
"""A write request unit: 1 KB."""
TABLE_READ: Final = 0.125 / 1e6
"""A read request unit: 8 KB, eventually consistent."""
VECTOR_WRITE_GB: Final = 0.52
"""A gigabyte replicated into a vector index, at least 1 KB per write: $4.0 for a million vectors of 2048 dimensions.
Four bytes per dimension are replicated, plus the keys and the projected attributes: a vector of 256 dimensions was
reported as 1,061 bytes, and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchMonitoring.html confirms the scaling. The
three prices of vectors are the price page's as an article of 2026-08-09 quotes them ("One More Reason to Run a Separate
Vector DB Just Disappeared"); the page itself could not be read in so recent a version."""
VECTOR_SEARCH_GB: Final = 0.002
"""A gigabyte of the index that searches examine, at least 1 KB per search."""
SQS_REQUEST: Final = 0.4 / 1e6
SQS_FIFO_REQUEST: Final = 0.5 / 1e6
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
"""The same as the table's."""
LOGS_GB: Final = 0.5
"""https://aws.amazon.com/cloudwatch/pricing/, also for alarms."""
ALARM_MONTH: Final = 0.1
"""For each metric that an alarm looks at."""
DASHBOARD_MONTH: Final = 3.0
"""The first three of an account cost nothing."""
TRACE: Final = 5 / 1e6
"""https://aws.amazon.com/xray/pricing/; X-Ray samples one request per second and 5 % of the others."""
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
"""Pinecone Standard, serverless, us-east-1: a write unit, 1 KB written. This and the next three from
https://docs.flexprice.io/cookbooks/pricing-teardowns/pinecone-pricing (price page of 2026-11-04)."""
SERVICE_READ: Final = 16 / 1e6
"""A read unit: a query uses one per GB of its namespace, and at least a quarter
(https://docs.pinecone.io/guides/manage-cost/understanding-cost)."""
SERVICE_GB_MONTH: Final = 0.33
SERVICE_MINIMUM_MONTH: Final = 50.0

WRITES_PER_IMAGE: Final = 18
"""Write units of one new image. `make bench` counted this and the following values (bench/results/speed.json), and a
test compares them."""
WRITES_PER_VECTOR: Final = 10
"""Write units of another model's vectors of a stored image, which are about as large as a record."""
VECTOR_BYTES_PER_IMAGE: Final = 13_000
"""Replicated into the two indexes: that of whole images and that of keypoints."""
READS_PER_IMAGE: Final = 12
"""Read units, 4 of them used by the command that polls for results."""
PUTS_PER_IMAGE: Final = 2
"""The signature and the thumbnail."""
GETS_PER_IMAGE: Final = 2
"""The image and, occasionally, the signature of an earlier one."""
SQS_REQUESTS_PER_IMAGE: Final = 0.3
"""A tenth each to send, receive and delete, in batches of ten."""
SECONDS_PER_IMAGE: Final = 0.13
"""Duration of the ingest function per image, in a batch of ten."""
LIST_PAGE_SIZE: Final = 1000
"""Maximum number of keys in the response to one LIST."""
