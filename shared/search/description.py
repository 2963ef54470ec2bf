"""Describe an image: everything that is computed from it, at ingest and for a search."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shared.domain.features import FeatureVector, LocalVector, normalise
from shared.domain.images import ImageRecord, IndexedImage
from shared.domain.ledger import ImageKey
from shared.search.timings import Stopwatch
from shared.vision import signature
from shared.vision.decode.decoding import Image, decode
from shared.vision.embedding import Embedder, Embedding
from shared.vision.keypoints import MAX_KEYPOINTS
from shared.vision.pdq import pdq_hash
from shared.vision.phash import perceptual_hash
from shared.vision.pixels import Pixels
from shared.vision.quality.measure import measure
from shared.vision.resizing import shrink_to_fit
from shared.vision.sharpness import sharpness
from shared.vision.sheets import Page
from shared.vision.signature import NO_HASH, Signature, SignedPage
from shared.vision.thumbnail import LONGEST_SIDE
from shared.vision.views import local_features

_NETWORK: Final = ThreadPoolExecutor(1, "network")


@dataclass(frozen=True, slots=True)
class Description:
    """An image's record, vectors and signature.

    Attributes:
        preview: the pixels of the thumbnail: RGB, uint8, at most `LONGEST_SIDE` pixels a side.
        cover: the decoded pixels of the image, or of its first page.
        local_features: None if there are no keypoints.
    """

    record: ImageRecord
    features: FeatureVector
    signature: Signature
    preview: Pixels
    cover: Pixels
    local_features: LocalVector | None = None

    def indexed(self) -> IndexedImage:
        """Return the record and the vectors, as the catalogue stores them."""
        return IndexedImage(self.record, self.features, self.local_features, self.signature.pixels_hash.hex() or None)


def analyse(
    rgb: Pixels,
    embedder: Callable[[], Embedder],
    *,
    threads: Executor,
    keypoints: int = MAX_KEYPOINTS,
    watch: Stopwatch | None = None,
    shown: Sequence[Page] = (),
) -> tuple[Signature, Embedding]:
    """Compute the signature and the features of pixels.

    The network runs in one of `threads` while this thread computes the rest.

    Args:
        rgb: upright RGB, uint8, height x width x 3.
        embedder: returns the network, and may load it first.
        keypoints: maximum number of keypoints.
        watch: measures the stages `keypoints` and `features`.
        shown: the pages on a sheet. The features are then the mean of theirs, and the labels and things those of the
            first one.
    """
    watch = watch or Stopwatch()
    several = shown if len(shown) > 1 else ()
    embedding = threads.submit(lambda: [embedder().embed(one) for one in [page.rgb for page in several] or [rgb]])
    with watch.stage("keypoints"):
        described = signature.extract(rgb, keypoints=keypoints)
        of_pages = [signature.extract(page.rgb) for page in several]
    with watch.stage("features"):
        found = embedding.result()
    features = normalise(np.mean([one.features for one in found], axis=0)) if several else found[0].features
    pages = [
        # A page that is an image elsewhere does not make its whole file identical with that.
        SignedPage(page.number, page.seconds, replace(own, features=one.features, pixels_hash=NO_HASH))
        for page, own, one in zip(several, of_pages, found, strict=False)
    ]
    pages = pages or [SignedPage(page.number, page.seconds) for page in shown]
    return replace(described, features=features, pages=tuple(pages)), replace(found[0], features=features)


def things_in(image: Image, embedder: Embedder) -> tuple[str, ...]:
    """Return the words for what a network sees in an image, the same as `describe` does."""
    return embedder.embed(image.shown[0].rgb if len(image.shown) > 1 else image.rgb).things


def describe(
    data: bytes,
    image_key: ImageKey,
    embedder: Embedder,
    *,
    created_at: str,
    filename: str | None,
    with_pdq: bool = False,
) -> Description:
    """Decode an image and compute everything that a search needs, and its PDQ hash if that is wanted.

    Raises:
        PictureRefused: the bytes are not an image in a supported format, or the image exceeds a limit.
    """
    image = decode(data, patience=None)
    described, embedding = analyse(image.rgb, lambda: embedder, threads=_NETWORK, shown=image.shown)
    record = ImageRecord(
        collection=image_key.collection,
        image_id=image_key.image_id,
        model=embedder.model_id,
        width=image.width,
        height=image.height,
        format=image.format,
        bytes=len(data),
        phash=perceptual_hash(described.gray),
        created_at=created_at,
        labels=embedding.labels,
        filename=filename,
        low_information=described.low_information,
        sharpness=sharpness(image.rgb),
        damaged=image.damaged,
        intact=image.intact,
        pages=image.pages,
        capture=image.capture,
        things=embedding.things,
        pdq=pdq_hash(image.rgb) if with_pdq else None,
        quality=measure(data, image.rgb, image.format, (image.width, image.height)),
    )
    return Description(
        record,
        embedding.features,
        described,
        shrink_to_fit(image.cover, LONGEST_SIDE),
        image.cover,
        local_features(described),
    )
