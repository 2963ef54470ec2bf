"""What ingest computes from a picture's bytes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.features import FeatureVector, LocalVector
from shared.domain.images import ImageRecord, IndexedImage
from shared.domain.ledger import Holding
from shared.vision import signature
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.local_features import gathered
from shared.vision.phash import perceptual_hash
from shared.vision.sharpness import sharpness
from shared.vision.signature import Signature

_BESIDE: Final = ThreadPoolExecutor(1, "network")
"""The network runs while the rest is computed, which another core does where there is one."""


@dataclass(frozen=True, slots=True)
class Description:
    """A picture's record, vectors and signature; `local_features` is None where there are no keypoints."""

    record: ImageRecord
    features: FeatureVector
    signature: Signature
    local_features: LocalVector | None = None

    def indexed(self) -> IndexedImage:
        return IndexedImage(self.record, self.features, self.local_features)


def describe(
    data: bytes, holding: Holding, embedder: Embedder, *, created_at: str, filename: str | None
) -> Description:
    """Decode a picture and compute everything that a search needs.

    Raises:
        PictureRefused: the bytes are no picture that we decode.
    """
    picture = decode(data)
    looking = _BESIDE.submit(embedder.embed, picture.rgb)
    described = signature.extract(picture.rgb)
    descriptors = described.keypoints.descriptors
    local = gathered(descriptors) if len(descriptors) else None
    sharp = sharpness(picture.rgb)
    embedding = looking.result()
    record = ImageRecord(
        collection=holding.collection,
        image_id=holding.image_id,
        model=embedder.model_id,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        bytes=len(data),
        phash=perceptual_hash(described.gray),
        created_at=created_at,
        labels=embedding.labels,
        filename=filename,
        low_information=described.low_information,
        sharpness=sharp,
    )
    return Description(record, embedding.features, replace(described, features=embedding.features), local)
