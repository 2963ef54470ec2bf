"""The duration of SearchVectors in the local cloud: boto3 over HTTP to moto, 10,000 vectors of 2,048 dimensions.

    python -m bench.vector_search [--items 10000] [--searches 101]

The target is 50 ms for the 50 nearest items, stored and requested as the catalogue does.
"""

import argparse
import json
import logging
import resource
import time
from typing import Any

import boto3
import numpy as np
from moto.dynamodb.models import dynamodb_backends

from infra.local.moto_server import start_moto_server
from infra.local.moto_vectors.patches import install
from shared.domain import table_schema
from shared.domain.features import FEATURE_DIMENSIONS

_REGION = "us-east-1"
_ACCOUNT = "123456789012"
_TOP_K = 50
_RECORD = {
    "image_id": {"S": "f" * 64},
    "width": {"N": "4032"},
    "height": {"N": "3024"},
    "format": {"S": "jpeg"},
    "bytes": {"N": "3145728"},
    "phash": {"S": "0123456789abcdef"},
    "labels": {"L": [{"M": {"name": {"S": "tabby"}, "probability": {"N": "0.21"}}} for _ in range(5)]},
    "filename": {"S": "IMG_0001.JPG"},
    "created_at": {"S": "2026-01-01T00:00:00.000000+00:00"},
}


def _create(client: Any) -> None:
    searched = [table_schema.VECTOR_PARTITION, *table_schema.VECTOR_FILTERS]
    keys = [table_schema.PARTITION_KEY, table_schema.SORT_KEY]
    kinds = ["HASH", *["INLINE_FILTER"] * len(table_schema.VECTOR_FILTERS)]
    client.create_table(
        TableName="bench",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in zip(keys, ("HASH", "RANGE"), strict=True)],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (*keys, *searched)],
        VectorIndexes=[
            {
                "IndexName": table_schema.VECTOR_INDEX,
                "VectorAttribute": {"AttributeName": table_schema.VECTOR_ATTRIBUTE},
                "Dimensions": FEATURE_DIMENSIONS,
                "DistanceFunction": "COSINE",
                "SearchSchema": [
                    {"AttributeName": n, "SearchSchemaElementType": k} for n, k in zip(searched, kinds, strict=True)
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": [*table_schema.RECORD_ATTRIBUTES, table_schema.LISTING_SORT],
                },
            }
        ],
    )


def _fill(vectors: Any) -> float:
    """Store the items without HTTP; return the seconds per item that moto itself takes."""
    table = dynamodb_backends[_ACCOUNT][_REGION].tables["bench"]
    start = time.perf_counter()
    for number, vector in enumerate(vectors):
        table.put_item(
            {
                table_schema.PARTITION_KEY: {"S": f"image#{number}"},
                table_schema.SORT_KEY: {"S": "record"},
                table_schema.VECTOR_PARTITION: {"S": "default"},
                "model": {"S": "m"},
                table_schema.VECTOR_ATTRIBUTE: {"L": [{"N": f"{value:.5g}"} for value in vector.tolist()]},
                **_RECORD,
            }
        )
    return (time.perf_counter() - start) / len(vectors)


def _search(client: Any, query: Any) -> float:
    names = [
        *table_schema.RECORD_ATTRIBUTES,
        table_schema.LISTING_SORT,
        table_schema.VECTOR_PARTITION,
        *table_schema.VECTOR_FILTERS,
    ]
    start = time.perf_counter()
    answer = client.search_vectors(
        TableName="bench",
        IndexName=table_schema.VECTOR_INDEX,
        SearchVector=[{"N": repr(value)} for value in query.tolist()],
        TopK=_TOP_K,
        SearchConditionExpression="#collection = :collection AND #model = :model",
        ProjectionExpression=", ".join(f"#{name}" for name in names),
        ExpressionAttributeNames={f"#{name}": name for name in names},
        ExpressionAttributeValues={":collection": {"S": "default"}, ":model": {"S": "m"}},
        ReturnConsumedCapacity="TOTAL",
    )
    taken = time.perf_counter() - start
    if len(answer["SearchResults"]) != _TOP_K:
        raise SystemExit("the search did not return the stored items")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=101)
    wanted = parser.parse_args()
    install()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = start_moto_server()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://{host}:{port}",
        region_name=_REGION,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106 - moto takes any
    )
    _create(client)
    random = np.random.default_rng(0)
    vectors = random.random((wanted.items, FEATURE_DIMENSIONS), dtype=np.float32)
    put = _fill(vectors)
    _search(client, vectors[0])
    times = np.array([_search(client, vectors[number % wanted.items]) for number in range(wanted.searches)]) * 1000
    server.stop()
    print(
        json.dumps(
            {
                "items": wanted.items,
                "dimensions": FEATURE_DIMENSIONS,
                "top_k": _TOP_K,
                "search_ms": {f"p{at}": round(float(np.percentile(times, at)), 1) for at in (5, 50, 95)},
                "put_ms": round(put * 1000, 2),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
