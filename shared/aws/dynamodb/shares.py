"""Links to albums in DynamoDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.albums import SHOWN
from shared.aws.dynamodb.transactions import transact
from shared.domain.albums import AlbumKey, AlbumMissing, Share
from shared.domain.table_schema import TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoShares:
    """Stores two items for each link: one that its token's hash finds, and one in the list of its album.

    Both expire with the link. DynamoDB deletes them within days of that, so that readers check the time, too.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, share: Share, token_hash: str) -> None:
        """Create a link; see `shared.domain.ports.albums.Shares`."""
        values = {
            "share_id": {"S": share.share_id},
            "owner": {"S": share.album.collection},
            "album_id": {"S": share.album.album_id},
            "since": {"S": share.created_at},
            "hash": {"S": token_hash},
            TTL_ATTRIBUTE: {"N": str(share.expires_at)},
        }
        keys = (item_keys.share_key(token_hash), item_keys.share_of_album_key(share.album, share.share_id))
        check = {"ConditionCheck": {"Key": item_keys.album_key(share.album), "ConditionExpression": SHOWN}}
        if not transact(self._client, self._table, [check, *({"Put": {"Item": key | values}} for key in keys)]):
            raise AlbumMissing

    def find(self, token_hash: str) -> Share | None:
        item = self._client.get_item(
            TableName=self._table, Key=item_keys.share_key(token_hash), ConsistentRead=True
        ).get("Item")
        return _to_share(item) if item else None

    def list_all(self, album: AlbumKey) -> Sequence[Share]:
        found = [
            _to_share(item)
            for page in self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": item_keys.share_of_album_key(album, "")["pk"]},
                ConsistentRead=True,
            )
            for item in page["Items"]
        ]
        return sorted(found, key=lambda share: (share.created_at, share.share_id))

    def revoke(self, album: AlbumKey, share_id: str) -> bool:
        """Delete a link, first what its token finds; return False if there is none."""
        listed = item_keys.share_of_album_key(album, share_id)
        item = self._client.get_item(TableName=self._table, Key=listed, ConsistentRead=True).get("Item")
        if item is None:
            return False
        self._client.delete_item(TableName=self._table, Key=item_keys.share_key(item["hash"]["S"]))
        self._client.delete_item(TableName=self._table, Key=listed)
        return True


def _to_share(item: item_keys.Item) -> Share:
    return Share(
        share_id=item["share_id"]["S"],
        album=AlbumKey(item["owner"]["S"], item["album_id"]["S"]),
        created_at=item["since"]["S"],
        expires_at=int(item[TTL_ATTRIBUTE]["N"]),
    )
