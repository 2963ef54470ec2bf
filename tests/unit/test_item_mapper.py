"""The conversion of records to DynamoDB items and back."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.aws.dynamodb import item_keys, item_mapper
from shared.domain.errors import PictureRefused
from shared.domain.features import FEATURE_SCALE, LOCAL_DIMENSIONS, LOCAL_SCALE, QUERY_SCALE, cosine, normalise
from shared.domain.images import (
    COLLECTION_PATTERN,
    UPLOAD_ID_PATTERN,
    ImageRecord,
    IndexedImage,
    Label,
    ObjectRef,
    collection_of_key,
    parse_upload_key,
    source_id,
    upload_key,
)

ID = "ab" * 32
UPLOAD = "0" * 32
RECORD = ImageRecord(
    collection="cats",
    image_id=ID,
    model="m",
    width=3,
    height=4,
    format="png",
    bytes=5,
    phash="0" * 16,
    created_at="2026-01-01T00:00:00.000000+00:00",
    labels=(Label("Egyptian cat", 0.5), Label("lynx", 0.25)),
    filename="<b>.png",
    low_information=True,
)


def test_a_record_survives_the_round_trip() -> None:
    item = item_mapper.record_item(RECORD, normalise(np.arange(2048.0)), ObjectRef("b", "k"))
    assert item_mapper.to_record(item) == RECORD
    assert item["label"] == {"S": "egyptian cat"}, "in canonical form, by which the index is searched"


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({}, "png"),
        ({"damaged": True}, "png; intact=1"),
        ({"damaged": True, "intact": 0.7188}, "png; intact=0.7188"),
        ({"pages": 12}, "png; pages=12"),
        ({"damaged": True, "intact": 0.5, "pages": 2}, "png; intact=0.5; pages=2"),
    ],
)
def test_what_few_images_have_is_kept_in_the_format_that_every_index_projects(
    changes: dict[str, Any], stored: str
) -> None:
    record = replace(RECORD, **changes)
    item = item_mapper.record_item(record, normalise(np.arange(2048.0)), ObjectRef("b", "k"))
    assert item["format"] == {"S": stored}
    assert item_mapper.to_record(item) == record


def test_a_record_without_labels_has_no_label_attribute() -> None:
    bare = ImageRecord("c", ID, "m", 1, 1, "gif", 1, "0" * 16, "2026")
    item = item_mapper.record_item(bare, normalise(np.ones(2048)), ObjectRef("b", "k"))
    assert "label" not in item
    assert "filename" not in item
    assert "low_information" not in item
    assert item_mapper.to_record(item) == bare


def test_stored_numbers_preserve_the_vectors_direction() -> None:
    rng = np.random.default_rng(7)
    for values in (np.abs(rng.normal(size=2048)), rng.normal(size=2048), rng.exponential(size=2048) ** 3):
        vector = normalise(values)
        numbers = item_mapper.to_numbers(vector, FEATURE_SCALE)
        assert all(re.fullmatch(r"-?[0-9]{1,3}", number["N"]) for number in numbers)
        assert sum(len(number["N"].lstrip("-")) > 2 for number in numbers) <= 100
        stored = item_mapper.from_numbers(numbers)
        assert np.linalg.norm(stored) == pytest.approx(1, abs=1e-5)
        assert cosine(vector, stored) > 1 - 2e-4
    local = normalise(rng.normal(size=LOCAL_DIMENSIONS))
    assert cosine(local, item_mapper.from_numbers(item_mapper.to_numbers(local, LOCAL_SCALE))) > 1 - 0.01


def test_components_of_local_features_have_at_most_two_digits() -> None:
    one = np.zeros(LOCAL_DIMENSIONS, np.float32)
    one[3] = -1
    assert {number["N"] for number in item_mapper.to_numbers(one, LOCAL_SCALE)} == {"0", "-99"}


def test_a_vector_stored_at_another_scale_is_read_correctly() -> None:
    vector = normalise(np.arange(2048.0))
    before = [{"N": f"{value:.3g}"} for value in vector.tolist()]
    assert cosine(item_mapper.from_numbers(before), vector) > 1 - 1e-6


def test_the_largest_item_is_far_below_dynamodbs_limit() -> None:
    rng = np.random.default_rng(7)
    item = item_mapper.record_item(
        RECORD, normalise(rng.normal(size=2048)), ObjectRef("b", "k"), normalise(rng.normal(size=LOCAL_DIMENSIONS))
    )
    # DynamoDB counts about one byte per two digits of a number, plus two, plus one per list entry.
    numbers = [number["N"] for vector in ("features", "local_features") for number in item[vector]["L"]]
    assert sum(len(number) / 2 + 3 for number in numbers) < 18_000


@given(st.from_regex(COLLECTION_PATTERN, fullmatch=True), st.from_regex(UPLOAD_ID_PATTERN, fullmatch=True))
def test_an_upload_key_is_parsed_into_its_parts(collection: str, upload_id: str) -> None:
    collection, upload_id = collection.strip(), upload_id.strip()
    key = upload_key(collection, upload_id)
    assert parse_upload_key(key) == (collection, upload_id)
    assert collection_of_key(key) == collection


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_key_belongs_to_a_valid_collection(rest: str) -> None:
    for key in (rest, f"uploads/{rest}", f"uploads/cats/{rest}"):
        assert re.fullmatch(COLLECTION_PATTERN, collection_of_key(key))
        assert len(source_id(ObjectRef("b", key))) in {32, 64}


def test_a_cursor_becomes_the_key_of_the_listing_index() -> None:
    item = item_mapper.record_item(RECORD, normalise(np.ones(2048)), ObjectRef("b", "k"))
    key = item_keys.decode_cursor(item_keys.encode_cursor("cats", item), "cats")
    assert key == {name: item[name] for name in ("pk", "sk", "collection", "created_at")}


def test_a_source_id_is_the_upload_id_or_a_hash_of_bucket_and_key() -> None:
    ours = ObjectRef("b", upload_key("cats", UPLOAD))
    assert source_id(ours) == UPLOAD
    assert len(source_id(ObjectRef("b", "any/key"))) == 64
    assert source_id(ObjectRef("b", "any/key")) != source_id(ObjectRef("c", "any/key"))


def test_only_well_formed_upload_keys_are_parsed() -> None:
    assert parse_upload_key(upload_key("cats", UPLOAD)) == ("cats", UPLOAD)
    for other in ("uploads/cats/x", "uploads/Cats/" + UPLOAD, "x/uploads/cats/" + UPLOAD, "uploads//" + UPLOAD):
        assert parse_upload_key(other) is None


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_vector_with_a_non_finite_component_is_refused(wrong: float) -> None:
    """A NaN would be stored as -9223372036854775808."""
    vector = np.ones(2048, np.float32)
    vector[7] = wrong
    with pytest.raises(PictureRefused) as refused:
        normalise(vector)
    assert refused.value.code == "undescribable"
    for scale in (FEATURE_SCALE, LOCAL_SCALE, QUERY_SCALE):
        with pytest.raises(PictureRefused):
            item_mapper.to_numbers(vector, scale)
    with pytest.raises(PictureRefused):
        item_mapper.record_item(RECORD, vector, ObjectRef("b", "k"))
    with pytest.raises(PictureRefused):
        item_mapper.vectors_item(IndexedImage(RECORD, normalise(np.ones(2048)), vector[:LOCAL_DIMENSIONS]))


def test_a_zero_vector_has_cosine_zero_and_no_nan() -> None:
    zero = normalise(np.zeros(2048))
    assert cosine(zero, zero) == 0.0
