"""Searches of the table's vector indexes, and of the index of pixel hashes."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.aws.dynamodb import item_mapper
from shared.aws.dynamodb.batches import projection
from shared.aws.dynamodb.listing import RECORD_NAMES
from shared.aws.transient_errors import is_index_not_ready
from shared.domain.errors import IndexNotReady
from shared.domain.features import QUERY_SCALE, FeatureVector, LocalVector
from shared.domain.images import ImageRecord
from shared.domain.ports.indexes import Candidate, Candidates
from shared.domain.table_schema import LOCAL_INDEX, PIXELS_HASH, PIXELS_INDEX, SINCE, VECTOR_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoVectorSearch:
    """Finds images by their vectors, and by the hash of their pixels; what is in the trash is in no index."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """Return the nearest images by the cosine of their features.

        Args:
            label: limits the images to those whose most probable class, in canonical form, it is.
            limit: 1 to 100, the range of SearchVectors.

        Raises:
            IndexNotReady: the index is being built.
        """
        return self._search(VECTOR_INDEX, features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        """Return the nearest images by the cosine of their local features; `limit` is 1 to 100.

        Raises:
            IndexNotReady: the index is being built.
        """
        return self._search(LOCAL_INDEX, local, collection=collection, model=model, label=None, limit=limit)

    def _search(
        self, index: str, vector: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        condition = "#collection = :collection AND #model = :model"
        shown = projection(*RECORD_NAMES, SINCE)
        names = shown["ExpressionAttributeNames"]
        values: dict[str, Any] = {":collection": {"S": collection}, ":model": {"S": model}}
        if label is not None:
            condition += " AND #label = :label"
            names["#label"] = "label"
            values[":label"] = {"S": label}
        try:
            answer = self._client.search_vectors(
                TableName=self._table,
                IndexName=index,
                SearchVector=item_mapper.to_numbers(vector, QUERY_SCALE),
                TopK=limit,
                SearchConditionExpression=condition,
                **shown,
                ExpressionAttributeValues=values,
                ReturnConsumedCapacity="TOTAL",
            )
        except ClientError as error:
            if is_index_not_ready(error):
                raise IndexNotReady(f"The vector index {index} is still being built.") from error
            raise
        examined = answer.get("ConsumedCapacity", {}).get("VectorSearchRequestBytes")
        return Candidates(
            found=[
                Candidate(item_mapper.to_record(result["Item"]), cosine=max(-1.0, 1.0 - float(result["Score"])))
                for result in answer.get("SearchResults", [])
            ],
            bytes_examined=None if examined is None else int(examined),
        )

    def with_pixels(self, pixels_hash: str, *, collection: str, limit: int) -> list[ImageRecord]:
        """Return the images whose decoded pixels have this hash; see `shared.domain.ports.indexes.PixelSearch`."""
        try:
            found = self._client.query(
                TableName=self._table,
                IndexName=PIXELS_INDEX,
                KeyConditionExpression=f"{PIXELS_HASH} = :pixels AND #collection = :collection",
                ExpressionAttributeValues={":pixels": {"S": pixels_hash}, ":collection": {"S": collection}},
                **projection(*RECORD_NAMES),
                Limit=limit,
            )
        except ClientError as error:
            if not is_index_not_ready(error):
                raise
            return []  # after an upgrade, until the index is filled; the vector indexes have the images too
        return [item_mapper.to_record(item) for item in found["Items"]]
