"""Count how often the source is preferred to copies that look better: `python -m bench.best_copy FOLDER`.

Every image is altered in each of the ways of `COPIES`, at random strength and saved at random quality. The order of the
two is never a hint: the copy is the older one.
"""

import argparse
import hashlib
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from infra.local import seed
from shared.domain.images import ImageRecord
from shared.domain.preference import Preference, prefer
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.judgement import judge
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.quality.measure import measure

SEED: Final = 4
INTERPOLATIONS: Final = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
QUALITIES: Final = (None, 60, 75, 85, 90, 95)
"""JPEG qualities at which a copy is saved; None saves a PNG."""


def save(bgr: Pixels, quality: int | None) -> bytes:
    """Encode as a JPEG of this quality, or as a PNG."""
    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(".png" if quality is None else ".jpg", bgr, options)[1].tobytes()


def load(data: bytes) -> Pixels:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[return-value]


def scale(bgr: Pixels, factor: float, interpolation: int) -> Pixels:
    return cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=interpolation)  # type: ignore[return-value]


def sharpen(bgr: Pixels, sigma: float, amount: float) -> Pixels:
    """Apply an unsharp mask."""
    blurred = cv2.GaussianBlur(bgr, (0, 0), sigma).astype(np.float32)
    return np.clip(bgr + amount * (bgr - blurred), 0, 255).astype(np.uint8)


def smooth(bgr: Pixels, rng: Random) -> Pixels:
    """Remove noise in one of five ways."""
    match rng.randrange(5):
        case 0:
            smoothed = cv2.fastNlMeansDenoisingColored(bgr, None, rng.uniform(4, 10), 5, 7, 13)
        case 1:
            smoothed = cv2.bilateralFilter(bgr, 5, rng.uniform(20, 60), 3)
        case 2:
            smoothed = cv2.medianBlur(bgr, rng.choice([3, 5]))
        case 3:
            smoothed = cv2.GaussianBlur(bgr, (0, 0), rng.uniform(0.5, 1.3))
        case _:
            smoothed = cv2.edgePreservingFilter(bgr, flags=1, sigma_s=10, sigma_r=0.15)
    return smoothed  # type: ignore[return-value]


def crop(bgr: Pixels, rng: Random) -> Pixels:
    height, width = bgr.shape[:2]
    share = rng.uniform(0.7, 0.9)
    top, left = int(height * (1 - share) * rng.random()), int(width * (1 - share) * rng.random())
    return bgr[top : top + int(height * share), left : left + int(width * share)]


def _any(rng: Random) -> int:
    return rng.choice(INTERPOLATIONS)


def _fit(bgr: Pixels, like: Pixels) -> Pixels:
    return cv2.resize(bgr, like.shape[1::-1], interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]


def _thumbnail(bgr: Pixels, rng: Random) -> Pixels:
    return scale(scale(bgr, rng.uniform(0.15, 0.4), cv2.INTER_AREA), rng.uniform(3, 7), _any(rng))


Copy = Callable[[Pixels, Random], bytes]

COPIES: Final[Mapping[str, Copy]] = {
    "enlarged thumbnail": lambda b, r: save(_thumbnail(b, r), r.choice(QUALITIES)),
    "enlarged": lambda b, r: save(scale(b, r.choice([1.2, 1.5, 2, 3]), _any(r)), r.choice(QUALITIES)),
    "enlarged and sharpened": lambda b, r: save(sharpen(scale(b, r.choice([1.5, 2]), _any(r)), 2, 1.5), 90),
    "sharpened": lambda b, r: save(sharpen(b, r.uniform(0.8, 2.5), r.uniform(1.2, 3)), r.choice(QUALITIES)),
    "denoised": lambda b, r: save(smooth(b, r), r.choice(QUALITIES)),
    "recompressed": lambda b, r: save(b, r.choice([40, 60, 75, 85])),
    "recompressed twice": lambda b, r: save(load(save(b, r.choice([40, 50, 60, 70]))), 95),
    "PNG of a JPEG": lambda b, r: save(load(save(b, r.choice([40, 50, 60, 75]))), None),
    "screenshot": lambda b, r: save(scale(b, r.choice([0.6, 0.75, 0.9]), cv2.INTER_AREA), None),
    "larger screenshot": lambda b, r: save(scale(b, r.choice([1.1, 1.33]), cv2.INTER_LINEAR), None),
    "half": lambda b, _: save(scale(b, 0.5, cv2.INTER_AREA), 95),
    "cropped": lambda b, r: save(crop(b, r), r.choice(QUALITIES)),
    "cropped and enlarged": lambda b, r: save(_fit(crop(b, r), b), r.choice(QUALITIES)),
}

EXPORTS: Final[Mapping[str, Copy]] = {
    "larger export": lambda b, _: save(scale(b, 1.1, cv2.INTER_CUBIC), 98),
    "sharpened export": lambda b, _: save(sharpen(b, 0.8, 0.6), 98),
    "lossless export": lambda b, _: save(b, None),
}
"""Copies without metadata of a file that has its camera's."""


def with_camera(jpeg: bytes, size: tuple[int, int]) -> bytes:
    """Return a JPEG with the Exif of a camera: make, model, and the width and height."""
    texts = [(0x010F, b"Nikon\0"), (0x0110, b"Z 6\0")]
    block, places, entries = b"", 8 + 2 + 12 * 3 + 4, b""
    for tag, text in texts:
        where = text.ljust(4, b"\0") if len(text) <= 4 else struct.pack("<I", places + len(block))
        entries += struct.pack("<HHI", tag, 2, len(text)) + where
        block += b"" if len(text) <= 4 else text
    entries += struct.pack("<HHII", 0x8769, 4, 1, places + len(block))
    details = struct.pack("<H", 2) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in zip((0xA002, 0xA003), size, strict=True)
    )
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 3) + entries + b"\0" * 4 + block + details + b"\0" * 4
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a copy of it, and which of them is preferred (`first`: the source)."""

    kind: str
    preference: Preference


def described(data: bytes, created_at: str) -> tuple[ImageRecord, Pixels]:
    """Return the record of an image, as far as its quality is concerned, and its pixels."""
    image = decode_in_process(data)
    size = image.width, image.height
    quality = measure(data, image.rgb, image.format, size)
    digest = hashlib.sha256(data).hexdigest()
    record = ImageRecord("c", digest, "m", *size, image.format, len(data), "0" * 16, created_at, quality=quality)
    return record, image.rgb


def pairs(source: bytes, rng: Random, copies: Mapping[str, Copy] = COPIES) -> Iterator[Pair]:
    """Yield the source with each of its copies; a crop is compared with it, as ingest does."""
    record, rgb = described(source, "2")
    for kind, copy in copies.items():
        other, pixels = described(copy(load(source), rng), "1")
        overlap = judge(encode_fine(rgb), encode_fine(pixels)).overlap if "cropped" in kind else None
        yield Pair(kind, prefer(record, other, overlap))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.best_copy", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--limit", type=int, default=50, help="number of photographs, evenly spread")
    wanted = parser.parse_args()
    paths = seed.list_files(wanted.folder)
    paths = paths[:: max(1, len(paths) // wanted.limit)][: wanted.limit]
    rng = Random(SEED)  # noqa: S311
    right, total, reasons = Counter[str](), Counter[str](), Counter[str]()
    for path in paths:
        data = path.read_bytes()
        source = save(load(data), rng.choice([None, 92]))
        height, width = load(data).shape[:2]
        found = [*pairs(source, rng), *pairs(with_camera(save(load(data), 92), (width, height)), rng, EXPORTS)]
        for pair in found:
            total[pair.kind] += 1
            right[pair.kind] += pair.preference.first
            reasons[pair.preference.reason] += 1
    print("| copy | source preferred |\n|---|---|")
    for kind in total:
        print(f"| {kind} | {right[kind]} of {total[kind]} |")
    print(f"| all | {right.total()} of {total.total()} ({right.total() / total.total():.1%}) |")
    print(f"\nreasons: {', '.join(f'{name} {count}' for name, count in reasons.most_common())}")
    _print_price(paths)
    return 0


def _print_price(paths: list[Path]) -> None:
    """Print what measuring costs for images of three sizes."""
    bgr = load(paths[0].read_bytes())
    for width in (512, 1024, 4000):
        data = save(_fit(bgr, np.empty((width * 3 // 4, width, 3), np.uint8)), 92)
        image = decode_in_process(data)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            measure(data, image.rgb, image.format, (image.width, image.height))
            times.append(time.perf_counter() - started)
        print(f"measuring {width} x {width * 3 // 4}: {1000 * min(times):.0f} ms")


if __name__ == "__main__":
    raise SystemExit(main())
