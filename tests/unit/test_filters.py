"""Conditions of listings, and changes of annotations."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.annotations import KEEP, AnnotationChange, Annotations, TooManyFields
from shared.domain.filters import EVERYTHING, ImageFilter, Sort
from shared.domain.images import ImageRecord, Label

RECORD = ImageRecord(
    "c",
    "i",
    "m",
    400,
    300,
    "png",
    5000,
    "0" * 16,
    "2026-11-28T09:30:00.000000+00:00",
    labels=(Label("tabby", 0.6),),
    filename="Straße 1.PNG",
    annotations=Annotations("DAM-1", "a note", {"photographer": "Ada", "place": "Linz"}),
)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"labels": frozenset({"tabby", "lynx"})},
        {"since": "2026-11-28T00:00:00.000000+00:00", "until": RECORD.created_at},
        {"taken_from": "2026-11-28T09:30:00.000000", "taken_to": "2026-11-28T09:30:00.000000"},
        {"format": "png", "min_bytes": 5000, "max_bytes": 5000},
        {"min_pixels": 120_000, "max_pixels": 120_000},
        {"filename": "STRASSE"},
        {"external_id": "DAM-1", "fields": {"photographer": "Ada", "place": "Linz"}},
    ],
)
def test_an_image_that_meets_every_condition_is_accepted(conditions: Any) -> None:
    assert ImageFilter(**conditions).accepts(RECORD)


@pytest.mark.parametrize(
    "conditions",
    [
        {"labels": frozenset()},
        {"since": "2026-11-28T09:30:00.000001+00:00"},
        {"until": "2026-11-28T09:29:59.999999+00:00"},
        {"taken_from": "2026-11-28T09:30:00.000001"},
        {"taken_to": "2026-11-28T09:29:59.999999"},
        {"format": "jpeg"},
        {"min_bytes": 5001},
        {"max_bytes": 4999},
        {"min_pixels": 120_001},
        {"max_pixels": 119_999},
        {"filename": "strasse 2"},
        {"external_id": "DAM"},
        {"fields": {"photographer": "Ada", "place": "Wien"}},
        {"fields": {"year": ""}},
    ],
)
def test_one_unmet_condition_excludes_an_image(conditions: Any) -> None:
    assert not ImageFilter(**conditions).accepts(RECORD)


def test_only_conditions_on_dates_need_no_filter() -> None:
    for sort in Sort:
        assert not EVERYTHING.selective(sort)
        assert ImageFilter(format="png").selective(sort)
        assert ImageFilter(since="2026", until="2027").selective(sort) is (sort is Sort.TAKEN)
        assert ImageFilter(taken_from="2026", taken_to="2027").selective(sort) is (sort is Sort.ADDED)
    assert not ImageFilter(format="png").needs_annotations
    assert ImageFilter(fields={"a": ""}).needs_annotations


def test_a_change_keeps_what_it_does_not_name_and_removes_what_is_null() -> None:
    before = RECORD.annotations
    assert AnnotationChange().apply(before) == before
    assert AnnotationChange(note=None, fields={"place": None, "year": "1999"}).apply(before) == Annotations(
        "DAM-1", None, {"photographer": "Ada", "year": "1999"}
    )
    assert not AnnotationChange("", "", {"photographer": None, "place": None}).apply(before)
    assert AnnotationChange(external_id=KEEP, note="new").apply(Annotations()) == Annotations(None, "new")


def test_an_image_has_at_most_ten_fields() -> None:
    ten = {f"field {number}": "" for number in range(10)}
    full = AnnotationChange(fields=ten).apply(Annotations())
    assert len(full.fields) == 10
    with pytest.raises(TooManyFields):
        AnnotationChange(fields={"one more": ""}).apply(full)
    assert len(AnnotationChange(fields={"one more": "", "field 0": None}).apply(full).fields) == 10


def test_records_without_annotations_have_none() -> None:
    assert not replace(RECORD, annotations=Annotations()).annotations
