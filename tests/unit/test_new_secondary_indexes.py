"""While the secondary indexes of a new version are being filled, searches and listings still answer."""

from typing import Any, Final

import numpy as np
import pytest
from botocore.exceptions import ClientError

from shared.aws.dynamodb import item_mapper
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.domain.annotations import Annotations
from shared.domain.errors import IndexNotReady
from shared.domain.filters import EVERYTHING, ImageFilter
from shared.domain.images import ImageRecord, ObjectRef
from shared.domain.table_schema import ANNOTATED_INDEX, PIXELS_INDEX

RECORD: Final = ImageRecord("c", "a" * 64, "m", 9, 9, "png", 1, "0" * 16, "2026-11-28T12:00:00+00:00")
ITEM: Final = item_mapper.record_item(RECORD, np.ones(4, np.float32), ObjectRef("b", "k"))


class Client:
    """A table with one annotated image, in which the new indexes are not ready."""

    def query(self, **request: Any) -> Any:
        if request["IndexName"] in (ANNOTATED_INDEX, PIXELS_INDEX):
            message = f"Cannot read from backfilling global secondary index: {request['IndexName']}"
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Query")
        return {"Items": [ITEM]}

    def get_paginator(self, _: str) -> "Client":
        return self

    def paginate(self, **request: Any) -> Any:
        return [self.query(**request)]

    def batch_get_item(self, **_: Any) -> Any:
        return {"Responses": {"t": [ITEM | {"note": {"S": "x"}}]}}


def test_only_a_listing_that_needs_a_new_index_waits_for_it() -> None:
    client: Any = Client()
    catalogue = DynamoCatalogue(client, "t")
    assert catalogue.with_pixels("0" * 32, collection="c", limit=9) == []
    (record,) = catalogue.page("c", wanted=EVERYTHING, limit=9, cursor=None).records
    assert record.annotations == Annotations(note="x")
    with pytest.raises(IndexNotReady):
        catalogue.page("c", wanted=ImageFilter(external_id="x"), limit=9, cursor=None)
