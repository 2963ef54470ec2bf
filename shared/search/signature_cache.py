"""Read the signatures of stored images, and keep those that were read last."""

from functools import lru_cache
from typing import Final

from shared.domain.images import ImageRecord, signature_key
from shared.domain.ports.objects import Signatures
from shared.vision import signature
from shared.vision.resizing import is_long
from shared.vision.signature import Signature

LARGE_SIGNATURES_KEPT: Final = 48
"""As `SIGNATURES_KEPT`, of files with several pages and of long images, whose signatures have up to 1.5 MB."""


class SignatureCache:
    """Reads the signatures of images that one model has described.

    Args:
        kept: maximum number of signatures that are cached, apart from large ones.
    """

    def __init__(self, signatures: Signatures, model: str, kept: int) -> None:
        self._signatures = signatures
        self._model = model
        self._kept = lru_cache(maxsize=kept)(self._read)
        self._kept_large = lru_cache(maxsize=min(kept, LARGE_SIGNATURES_KEPT))(self._read)

    def get(self, record: ImageRecord) -> Signature | None:
        """Return the signature of an image, or None if it was removed."""
        try:
            large = record.pages > 1 or is_long(record.width, record.height)
            kept = self._kept_large if large else self._kept
            return kept(record.collection, record.image_id)
        except KeyError:
            return None

    def _read(self, _collection: str, image_id: str) -> Signature:
        """Read a signature; cached per collection, so that response times reveal nothing about other collections."""
        data = self._signatures.get(signature_key(self._model, image_id))
        if data is None:
            # Raised, not returned, so that absence is not cached: the signature may be written later.
            raise KeyError(image_id)
        return signature.unpack(data)
