"""What ingest computes from an image's bytes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.features import FeatureVector, LocalVector
from shared.domain.images import ImageRecord, IndexedImage
from shared.domain.ledger import ImageKey
from shared.vision import signature
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.local_features import vlad_encode
from shared.vision.phash import perceptual_hash
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit
from shared.vision.sharpness import sharpness
from shared.vision.signature import Signature
from shared.vision.thumbnail import LONGEST_SIDE

_BESIDE: Final = ThreadPoolExecutor(1, "network")
"""The network runs while the rest is computed, which another core does where there is one."""


@dataclass(frozen=True, slots=True)
class Description:
    """An image's record, vectors and signature.

    Attributes:
        preview: RGB, uint8, at most `LONGEST_SIDE` pixels a side: what the thumbnail shows.
        local_features: None where there are no keypoints.
    """

    record: ImageRecord
    features: FeatureVector
    signature: Signature
    preview: Pixels
    local_features: LocalVector | None = None

    def indexed(self) -> IndexedImage:
        return IndexedImage(self.record, self.features, self.local_features)


def describe(
    data: bytes, image_key: ImageKey, embedder: Embedder, *, created_at: str, filename: str | None
) -> Description:
    """Decode an image and compute everything that a search needs.

    Raises:
        PictureRefused: the bytes are no image that we decode.
    """
    image = decode(data)
    looking = _BESIDE.submit(embedder.embed, image.rgb)
    described = signature.extract(image.rgb)
    descriptors = described.keypoints.descriptors
    local = vlad_encode(descriptors) if len(descriptors) else None
    sharp = sharpness(image.rgb)
    embedding = looking.result()
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
        sharpness=sharp,
    )
    return Description(
        record,
        embedding.features,
        replace(described, features=embedding.features),
        shrink_to_fit(image.rgb, LONGEST_SIDE),
        local,
    )
