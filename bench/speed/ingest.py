"""Ingest of one image without the cloud, compared with its inference alone."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.speed.images import enlarged
from bench.speed.report import Floor, Part
from bench.speed.timing import side_by_side
from shared.domain.ledger import ImageKey
from shared.search.description import Description, describe
from shared.vision import signature
from shared.vision.decode.decoders import decode_in_process
from shared.vision.decode.decoding import decode
from shared.vision.embedding import SIDE, Embedder
from shared.vision.local_features import vlad_encode
from shared.vision.phash import perceptual_hash
from shared.vision.resizing import resize_square
from shared.vision.sharpness import sharpness
from shared.vision.thumbnail import thumbnail

OF_INFERENCE: Final = 1.6
WHOLE: Final = "**all that ingest does**"
INFERENCE: Final = "inference alone"
LARGE_COUNT: Final = 3
IN_A_ROW: Final = 3


def measure(model_dir: Path, images: list[bytes], rounds: int) -> Part:
    """Measure ingest and its stages, for the images as they are and enlarged to 12 megapixels."""
    small = _taken(model_dir, images, rounds)
    large = _taken(model_dir, [enlarged(data) for data in images[:LARGE_COUNT]], max(3, rounds // 3))
    ratio = small[WHOLE] / small[INFERENCE]
    return Part(
        "Ingest of one image, without the cloud",
        ("what", "ms", "of inference", "12 megapixels: ms", "of inference"),
        [
            (
                name,
                *(f"{ms:.1f}" if i == 0 else f"{ms:.2f}" for i, ms in enumerate((took, took / small[INFERENCE]))),
                *(f"{ms:.1f}" if i == 0 else f"{ms:.2f}" for i, ms in enumerate((at, at / large[INFERENCE]))),
            )
            for (name, took), at in zip(small.items(), large.values(), strict=True)
        ],
        [
            Floor(
                "ingest of one image against its inference",
                f"at most {OF_INFERENCE}",
                f"{ratio:.2f}",
                ratio <= OF_INFERENCE,
            )
        ],
        (
            "The whole decodes in a process of its own (docs/explanation/hostile-input.md), and the network runs "
            "while the rest is computed, which takes a second core; the stages are measured apart, so they do not add "
            "up.",
        ),
        {"ingest_ms": small[WHOLE], "ingest_12mp_ms": large[WHOLE]},
    )


def _taken(model_dir: Path, images: list[bytes], rounds: int) -> dict[str, float]:
    embedder = Embedder(model_dir)

    def whole(data: bytes) -> tuple[bytes, bytes]:
        found = _described(data, embedder)
        return signature.pack(found.signature), thumbnail(found.preview)

    prepared = {data: _Prepared(data, embedder) for data in images}

    stages: dict[str, Callable[[Any], object]] = {
        WHOLE: whole,
        INFERENCE: lambda data: embedder.embed(prepared[data].square),
        "decoding, in a process of its own": decode,
        "decoding, in this process": decode_in_process,
        "features, resizing included": lambda data: embedder.embed(prepared[data].rgb),
        "signature (gray, keypoints, histogram)": lambda data: signature.extract(prepared[data].rgb),
        "local features": lambda data: vlad_encode(prepared[data].signature.keypoints.descriptors),
        "sharpness": lambda data: sharpness(prepared[data].rgb),
        "perceptual hash": lambda data: perceptual_hash(prepared[data].signature.gray),
        "packing": lambda data: signature.pack(prepared[data].signature),
        "SHA-256": lambda data: hashlib.sha256(data).digest(),
        "thumbnail": lambda data: thumbnail(prepared[data].rgb),
    }
    return side_by_side(stages, images, rounds=rounds, in_a_row=IN_A_ROW)


def _described(data: bytes, embedder: Embedder) -> Description:
    image_key = ImageKey("bench", hashlib.sha256(data).hexdigest())
    return describe(data, image_key, embedder, created_at="2026-01-01T00:00:00.000000+00:00", filename=None)


class _Prepared:
    def __init__(self, data: bytes, embedder: Embedder) -> None:
        self.rgb = decode_in_process(data).rgb
        self.square = resize_square(self.rgb, SIDE)
        self.signature = _described(data, embedder).signature
