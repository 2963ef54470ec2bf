"""Cursors that no page gave are refused, and none leads into another collection."""

import base64
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.cursors import decode_cursor, decode_group, encode_cursor, encode_group
from shared.domain.errors import InvalidCursor

ID = "ab" * 32
TIME = "2026-01-01T00:00:00.000000+00:00"


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "eyJ", "W10", "WzEsMiwzXQ", "é"])
def test_malformed_cursors_are_refused(cursor: str) -> None:
    for decode in (decode_cursor, decode_group):
        with pytest.raises(InvalidCursor):
            decode(cursor, "cats")


@given(st.text(max_size=200))
def test_any_text_as_a_cursor_is_decoded_or_refused(cursor: str) -> None:
    try:
        decode_cursor(cursor, "cats")
    except InvalidCursor:
        return


@given(
    st.sampled_from(["cats", "dogs"]) | st.text(),
    st.just(TIME) | st.text(st.characters()),
    st.just(ID) | st.text(st.characters()),
)
@example("cats", "\ud800", ID)
@example("cats", TIME, "")
@example("cats", TIME, ID + "\n")
@example("cats", "2" * 2000, ID)
def test_a_forged_cursor_is_refused_or_decodes_to_valid_values(owner: str, time: str, image_id: str) -> None:
    text = json.dumps([owner, time, image_id]).encode()
    cursor = base64.urlsafe_b64encode(text).decode().rstrip("=")
    try:
        after = decode_cursor(cursor, "cats")
    except InvalidCursor:
        assert (owner, time, image_id) != ("cats", TIME, ID)
        return
    assert owner == "cats"
    assert after == (time, image_id)
    assert re.fullmatch("[0-9a-f]{64}", image_id)
    assert 0 < len(time.encode()) <= 40


def test_a_cursor_is_bound_to_its_collection() -> None:
    cursor = encode_cursor("cats", TIME, ID)
    assert decode_cursor(cursor, "cats") == (TIME, ID)
    group = encode_group("cats", ID)
    assert decode_group(group, "cats") == ID
    for decode, wrong in ((decode_cursor, cursor), (decode_group, group)):
        with pytest.raises(InvalidCursor):
            decode(wrong, "dogs")
    with pytest.raises(InvalidCursor):
        decode_group(cursor, "cats")
