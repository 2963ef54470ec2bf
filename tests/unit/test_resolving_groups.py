"""Resolving a group deletes nothing that is not a near-duplicate of an image that is kept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.api.duplicate_groups import DuplicateGroups
from shared.domain.duplicates import Decision, DuplicateGroup
from shared.domain.errors import NotFound
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey

RECORDS = [ImageRecord("c", name, "m", 9, 9, "png", 1, "0" * 16, name, group="a") for name in "abc"]
CHAIN = DuplicateGroup("a", RECORDS)
"""`a` and `b`, and `b` and `c`, are near-duplicates; `a` and `c` are not."""


class Fakes:
    def __init__(self, decisions: Sequence[tuple[str, str]] = ()) -> None:
        self.pairs = decisions
        self.deleted: list[str] = []
        self.settled: list[str] = []

    def near(self, image: ImageKey, others: Sequence[str]) -> set[str]:
        return {other for other in others if abs(ord(other) - ord(image.image_id)) <= 1}

    def decisions(self, image: ImageKey) -> dict[str, Decision]:
        return {other: Decision.DIFFERENT for one, other in self.pairs if one == image.image_id}

    def records(self, _: str, image_ids: Sequence[str]) -> dict[str, ImageRecord]:
        return {record.image_id: record for record in RECORDS if record.image_id in image_ids}

    def decide(self, *_: Any) -> None: ...

    def place(self, *_: Any, **__: Any) -> None: ...

    def delete(self, image_id: str, _: Any) -> None:
        self.deleted.append(image_id)

    def postpone(self, check: Any) -> None:
        self.settled.append(check.image_key.image_id)


@pytest.mark.parametrize(
    ("keep", "pairs", "deleted"),
    [([], [], "b"), (["c"], [], "b"), (["b"], [], "ac"), (["a", "c"], [], "b"), (["b"], [("b", "c")], "a")],
)
def test_only_near_duplicates_of_a_kept_image_are_deleted(
    keep: list[str], pairs: list[tuple[str, str]], deleted: str
) -> None:
    fakes: Any = Fakes(pairs)
    groups = DuplicateGroups(duplicates=fakes, trash=fakes, finder=fakes, messages=fakes)
    preview = groups.resolve(CHAIN, keep, dry_run=True)
    assert ("".join(record.image_id for record, _ in preview.deleted), fakes.deleted) == (deleted, [])
    groups.resolve(CHAIN, keep, dry_run=False)
    assert "".join(fakes.deleted) == deleted
    with pytest.raises(NotFound):
        groups.resolve(CHAIN, ["x"], dry_run=False)
    assert set(fakes.settled) == set("abc") - set(deleted) - set(keep or "a")


@pytest.mark.parametrize(
    ("keep", "resolved"), [([], ["a", "b"]), (["a", "b"], ["a", "b"]), (["a", "b", "c"], ["a", "b", "c"])]
)
def test_a_call_ends_before_it_compares_too_many_images(
    keep: list[str], resolved: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes: Any = Fakes()
    groups = DuplicateGroups(duplicates=fakes, trash=fakes, finder=fakes, messages=fakes)
    wanted = [(replace(CHAIN, group_id=name), keep) for name in "abc"]
    monkeypatch.setattr("functions.api.duplicate_groups.MAX_COMPARED", 5)
    assert [one.group_id for one in groups.resolve_first(wanted, dry_run=True)] == resolved
    monkeypatch.setattr("functions.api.duplicate_groups.MAX_COMPARED", 1)
    assert [one.group_id for one in groups.resolve_first(wanted, dry_run=True)][:1] == ["a"]
    assert groups.resolve_first([], dry_run=True) == []
    with pytest.raises(NotFound):
        groups.resolve_first([*wanted, (CHAIN, ["x"])], dry_run=False)
    assert not fakes.deleted
