"""Which earlier images a new one is compared with, and which signatures are read for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from shared.domain.features import normalise
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.matches import Comparison, OrbScore, Reason, Verdict
from shared.domain.outcomes import Neighbour
from shared.domain.ports.indexes import Candidate, Candidates
from shared.search import near_duplicates
from shared.search.budget import LOOK_ALIKES, PROMISING, SAME_BY_FEATURES
from shared.search.comparison import conclude, worth_details
from shared.search.description import Description
from shared.search.near_duplicates import LEAST_LOCAL, MOST_BITS, Look, NearDuplicateFinder, alike, bits_apart
from shared.vision import signature
from shared.vision.local_features import vlad_encode
from shared.vision.phash import perceptual_hash

MODEL = "m"


def describe_pixels(rgb: Any, name: str, minute: int) -> Description:
    features = normalise(np.random.default_rng(len(name)).normal(size=2048))
    found = signature.extract(rgb, features)
    image_id = name.encode().hex().ljust(64, "0")
    created_at = f"2026-01-01T00:{minute:02}:00.000000+00:00"
    phash = perceptual_hash(found.gray)
    record = ImageRecord("c", image_id, MODEL, rgb.shape[1], rgb.shape[0], "png", 1, phash, created_at)
    return Description(record, features, found, rgb, rgb, vlad_encode(found.keypoints.descriptors))


class FakeStore:
    """A fake catalogue and bucket with these images; `read` lists the ids of the signatures that were read."""

    def __init__(self, images: list[Description]) -> None:
        self.images = {one.record.image_id: one for one in images}
        self.read: list[str] = []

    def find(self, image_id: str, _: str) -> ImageRecord | None:
        return self.images[image_id].record if image_id in self.images else None

    def features(self, image_id: str, *_: str) -> Any:
        return self.images[image_id].features if image_id in self.images else None

    def get(self, key: str) -> bytes | None:
        image_id = key.rsplit("/", 1)[1]
        assert key == signature_key(MODEL, image_id)
        self.read.append(image_id)
        return signature.pack(self.images[image_id].signature) if image_id in self.images else None

    def with_pixels(self, pixels_hash: str, **_: Any) -> list[ImageRecord]:
        return [one.record for one in self.images.values() if one.signature.pixels_hash.hex() == pixels_hash]

    def nearest(self, vector: Any, **_: Any) -> Candidates:
        return self._nearest(lambda one: one.features @ vector)

    def nearest_local(self, vector: Any, **_: Any) -> Candidates:
        return self._nearest(lambda one: one.local_features @ vector)

    def _nearest(self, cosine: Callable[[Any], float]) -> Candidates:
        found = [Candidate(one.record, float(cosine(one))) for one in self.images.values()]
        return Candidates(sorted(found, key=lambda candidate: -candidate.cosine), None)


COFFEE: Any = data.coffee()
EARLIER = describe_pixels(COFFEE, "coffee", 1)
CAT = describe_pixels(data.chelsea(), "cat", 2)
ASTRONAUT = describe_pixels(data.astronaut(), "astronaut", 3)
COPY = describe_pixels(cv2.resize(COFFEE, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), "copy", 4)
COPY_KEY = ImageKey("c", COPY.record.image_id)


def finder(stored: FakeStore) -> NearDuplicateFinder:
    anything: Any = stored
    return NearDuplicateFinder(index=anything, signatures=anything, model=lambda: MODEL)


def look(stored: FakeStore, image_id: str, described: Description | None = None) -> Look:
    found = finder(stored).look(ImageKey("c", image_id), described)
    assert found is not None
    return found


def near(stored: FakeStore, image_id: str, described: Description | None = None) -> list[Neighbour]:
    found = look(stored, image_id, described)
    comparing = finder(stored)
    return comparing.settle(found, comparing.promising(found, [*found.same_pixels, *found.candidates]))


@pytest.mark.parametrize("given", [COPY, None])
def test_a_copy_is_found_and_no_unrelated_signature_is_read(given: Description | None) -> None:
    stored = FakeStore([EARLIER, CAT, ASTRONAUT, COPY])
    assert look(stored, COPY.record.image_id, given).complete
    stored.read.clear()
    found = near(stored, COPY.record.image_id, given)
    assert [(one.image_id, one.comparison.verdict) for one in found] == [
        (EARLIER.record.image_id, Verdict.NEAR_DUPLICATE)
    ]
    own = [] if given else [COPY.record.image_id]
    assert stored.read == [*own, EARLIER.record.image_id]


def test_a_mirror_image_is_found_whichever_of_the_two_asks() -> None:
    drawn = describe_pixels(COFFEE[:, ::-1].copy(), "mirrored", 5)
    seen = replace(drawn.signature, features=EARLIER.features)
    mirrored = replace(drawn, features=EARLIER.features, signature=seen)
    stored = FakeStore([EARLIER, CAT, mirrored])
    for asking, other in ((mirrored, EARLIER), (EARLIER, mirrored)):
        (one,) = near(stored, asking.record.image_id)
        assert (one.image_id, one.comparison.mirrored) == (other.record.image_id, True)


def test_of_images_that_only_the_features_find_alike_the_nearest_are_compared_in_detail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a collection of one kind of thing every image would be; a mirror image is among the nearest."""
    drawn = describe_pixels(COFFEE[:, ::-1].copy(), "mirrored", 5)
    mirrored = _with_features(drawn, EARLIER.features)
    direction = normalise(np.random.default_rng(9).normal(size=2048))
    others = [
        _with_features(one, normalise(EARLIER.features + 0.1 * (place + 1) * direction))
        for place, one in enumerate([CAT, ASTRONAUT, describe_pixels(data.rocket(), "rocket", 6)])
    ]
    in_detail = list[Any]()

    def noting(coarse: Comparison, *images: Any) -> Comparison:
        in_detail.append(round(coarse.cosine or 0.0, 3))
        return conclude(coarse, *images)

    monkeypatch.setattr(near_duplicates, "conclude", noting)
    (one,) = near(FakeStore([EARLIER, *others, mirrored]), mirrored.record.image_id)
    assert (one.image_id, one.comparison.mirrored) == (EARLIER.record.image_id, True)
    assert len(in_detail) == LOOK_ALIKES
    assert in_detail[0] == 1.0 > in_detail[1] > SAME_BY_FEATURES


def test_what_agrees_in_more_than_its_features_always_deserves_details() -> None:
    def found(agreement: float, cosine: float | None) -> Comparison:
        return Comparison(0.5, Verdict.UNRELATED, cosine, 0.1, None, OrbScore(9, 9, 1), 1.0, agreement=agreement)

    agreeing = [found(PROMISING, None), found(0.9, 0.1), found(0.5, 0.99)]
    alike = [found(0.01, cosine) for cosine in (0.7, SAME_BY_FEATURES - 0.01, 0.9, 0.8)]
    assert worth_details([*agreeing, *alike]) == [0, 1, 2, 5, 6]
    assert worth_details([found(0.0, None), found(0.0, SAME_BY_FEATURES)]) == [1]
    assert worth_details([]) == []


def _with_features(one: Description, features: Any) -> Description:
    return replace(one, features=features, signature=replace(one.signature, features=features))


def test_the_same_pixels_are_found_although_the_vector_indexes_do_not_have_them_yet() -> None:
    class Lagging(FakeStore):
        def _nearest(self, cosine: Callable[[Any], float]) -> Candidates:
            return Candidates([], None)

    saved_again = describe_pixels(COFFEE, "saved again", 5)
    stored = Lagging([EARLIER, CAT, saved_again])
    (one,) = near(stored, saved_again.record.image_id, saved_again)
    assert (one.image_id, one.comparison.reason) == (EARLIER.record.image_id, Reason.SAME_PIXELS)


def test_later_images_are_near_duplicates_too_and_removed_ones_are_not() -> None:
    later = describe_pixels(COFFEE, "later", 5)
    assert [one.image_id for one in near(FakeStore([later, COPY]), COPY.record.image_id, COPY)] == [
        later.record.image_id
    ]
    assert finder(FakeStore([EARLIER])).look(COPY_KEY) is None


def test_a_look_is_complete_once_the_indexes_have_the_image() -> None:
    stored = FakeStore([EARLIER, CAT])  # COPY has been described, but the index does not have it yet
    assert not look(stored, COPY.record.image_id, COPY).complete
    stored.images[COPY.record.image_id] = COPY
    assert look(stored, COPY.record.image_id, COPY).complete


def test_a_candidate_is_read_if_its_keypoints_its_features_or_its_hash_are_close() -> None:
    assert bits_apart("0" * 16, "f" * 16) == 64
    near, far = f"{(1 << MOST_BITS) - 1:016x}", f"{(1 << MOST_BITS + 1) - 1:016x}"
    assert alike(None, None, near, "0" * 16)
    assert not alike(None, None, far, "0" * 16)
    assert alike(LEAST_LOCAL, None, far, "0" * 16)
    assert alike(None, SAME_BY_FEATURES, far, "0" * 16)
    assert not alike(LEAST_LOCAL - 0.01, SAME_BY_FEATURES - 0.01, far, "0" * 16)
